using System.Text.Json;
using Shop.Orders.FulfillingOrder;

namespace Shop.Orders.ReadingOrders;

/// <summary>The states of <see cref="OrderFulfilment"/> as the API names them: in camelCase.</summary>
public static class OrderStatus
{
    private static readonly string[] Open =
        [nameof(OrderFulfilment.Submitted), nameof(OrderFulfilment.Reserved), nameof(OrderFulfilment.InReview), nameof(OrderFulfilment.Confirmed)];

    private static readonly Dictionary<string, string> States = Open.Append(nameof(OrderFulfilment.Fulfilled)).Append(nameof(OrderFulfilment.Cancelled))
        .ToDictionary(Of, StringComparer.Ordinal);

    /// <summary>The states of an order that has not ended.</summary>
    public static IReadOnlyList<string> OpenStates => Open;

    /// <summary>What is wrong with a status that <see cref="TryParse"/> does not take.</summary>
    public static string Expected { get; } = $"Must be one of {string.Join(", ", States.Keys)}.";

    /// <summary>The status of an order in <paramref name="state"/>.</summary>
    public static string Of(string state) => JsonNamingPolicy.CamelCase.ConvertName(state);

    /// <summary>The state behind a status; false where there is no such status.</summary>
    public static bool TryParse(string status, out string? state) => States.TryGetValue(status, out state);

    /// <summary>Whether nothing comes after <paramref name="state"/>.</summary>
    public static bool IsEnd(string? state) => state is nameof(OrderFulfilment.Fulfilled) or nameof(OrderFulfilment.Cancelled);
}
