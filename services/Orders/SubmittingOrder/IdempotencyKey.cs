using System.Security.Cryptography;
using System.Text.Json;

namespace Shop.Orders.SubmittingOrder;

/// <summary>A submission that was accepted; committed with its order, so that a key has one order however often it is sent.</summary>
public sealed class IdempotencyKey
{
    /// <summary>Whose key it is: other shoppers may use the same one.</summary>
    public required string ShopperId { get; init; }

    /// <summary>The value of the header <see cref="SubmitOrderRules.IdempotencyKeyHeader"/>.</summary>
    public required string Key { get; init; }

    /// <summary>What was asked for, as <see cref="HashOf"/> gave it.</summary>
    public required byte[] RequestHash { get; init; }

    /// <summary>The order that was made.</summary>
    public required Guid OrderId { get; init; }

    /// <summary>When it was first used.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>SHA-256 of the request's meaning: white space, the order of members and unknown members make no difference.</summary>
    public static byte[] HashOf(SubmitOrder order) => SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(order, OrdersJson.Default.SubmitOrder));
}
