using System.Security.Cryptography;
using System.Text.Json;

namespace Shop.Orders.SubmittingOrder;

/// <summary>A submission that was accepted; committed with its order, so that a key has one order however often it is sent.</summary>
public sealed class IdempotencyKey
{
    /// <summary>Whose key it is: other shoppers may use the same one.</summary>
    public required string ShopperId { get; init; }

    /// <summary>The value of the header <see cref="Shop.ServiceDefaults.IdempotencyKeyHeader"/>.</summary>
    public required string Key { get; init; }

    /// <summary>What was asked for, as <see cref="HashOf"/> gave it.</summary>
    public required byte[] RequestHash { get; init; }

    /// <summary>The order that was made.</summary>
    public required Guid OrderId { get; init; }

    /// <summary>When it was first used.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>SHA-256 of the request's meaning: white space, the order of members, unknown members and zeros at the end of an amount make no difference.</summary>
    public static byte[] HashOf(SubmitOrder order)
    {
        // a decimal remembers how it was written: 19, 19.0 and 19.00 all become 19.00
        var meant = order.ExpectedTotal is { } total ? order with { ExpectedTotal = total with { Amount = decimal.Round(total.Amount, 2) + 0.00m } } : order;
        return SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(meant, OrdersJson.Default.SubmitOrder));
    }
}
