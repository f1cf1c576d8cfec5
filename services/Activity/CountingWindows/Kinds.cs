using Shop.Contracts;

namespace Shop.Activity.CountingWindows;

/// <summary>What an event of a type counts as.</summary>
/// <param name="Topic">The topic on which such an event means anything.</param>
/// <param name="ClrType">The event.</param>
/// <param name="Measure">What is counted.</param>
internal sealed record Kind(Topic Topic, Type ClrType, string Measure);

/// <summary>The events that are counted, by their type.</summary>
internal static class Kinds
{
    private static readonly Dictionary<string, Kind> ByType = new Kind[]
    {
        new(Topics.Orders, typeof(OrderSubmitted), Measures.Submitted),
        new(Topics.Orders, typeof(OrderConfirmed), Measures.Confirmed),
        new(Topics.Orders, typeof(OrderFulfilled), Measures.Fulfilled),
        new(Topics.Orders, typeof(OrderCancelled), Measures.Cancelled),
        new(Topics.Payments, typeof(PaymentHeld), Measures.Held),
        new(Topics.ShopperActivity, typeof(ProductViewed), Measures.Viewed),
        new(Topics.ShopperActivity, typeof(CartChanged), Measures.Cart),
        new(Topics.ShopperActivity, typeof(CheckoutStarted), Measures.Checkout),
        new(Topics.Alarms, typeof(AlarmRaised), Measures.Alarms),
    }.ToDictionary(kind => kind.Topic.TryGetEvent(kind.ClrType, out var type) ? type.Name : throw new InvalidOperationException($"{kind.ClrType.Name} is not on {kind.Topic}"));

    /// <summary>The topics that have something to count.</summary>
    public static readonly Topic[] CountedTopics = [.. ByType.Values.Select(kind => kind.Topic).Distinct()];

    /// <summary>What an event counts as; null where it is not counted.</summary>
    public static Kind? Of(string type) => ByType.GetValueOrDefault(type);
}
