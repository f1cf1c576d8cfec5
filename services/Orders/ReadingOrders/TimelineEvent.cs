using Shop.Contracts;
using Shop.Orders.RecordingHistory;
using Shop.ServiceDefaults;

namespace Shop.Orders.ReadingOrders;

/// <summary>One event of an order, from whichever service, with what led to it.</summary>
/// <param name="Type">Its CloudEvents type.</param>
/// <param name="At">When it happened, by the clock of the service that published it.</param>
/// <param name="Topic">The topic it was read from.</param>
/// <param name="Partition">The topic's partition.</param>
/// <param name="Offset">The partition's offset.</param>
/// <param name="Id">The event's id.</param>
/// <param name="CausationId">The id of the event that caused it; null where none did.</param>
/// <param name="Data">What it says; without what is not for the shopper, where a shopper asks.</param>
/// <param name="CausedBy">The type of the event that caused it; null where none of the order's events did.</param>
/// <param name="TookMs">
/// Milliseconds since the event that caused it, or since the one before it where none did; null for the first. Two services' clocks may differ by
/// more than a step takes: such a step is shown as 0.
/// </param>
public sealed record TimelineEvent(string Type, DateTimeOffset At, string Topic, int Partition, long Offset, Guid Id, Guid? CausationId, RawJson Data,
    string? CausedBy, double? TookMs)
{
    /// <summary>An order's history, told.</summary>
    /// <param name="history">Events in their sequence.</param>
    /// <param name="toOperator">Whether all of it may be seen.</param>
    public static IReadOnlyList<TimelineEvent> Of(IReadOnlyList<OrderEvent> history, bool toOperator)
    {
        var told = new List<TimelineEvent>(history.Count);
        var earlier = new Dictionary<Guid, OrderEvent>(history.Count);
        OrderEvent? last = null;
        foreach (var e in history)
        {
            var cause = e.CausationId is { } id ? earlier.GetValueOrDefault(id) : null;
            var before = cause ?? last;
            told.Add(new(e.Type, e.At, e.Topic, e.Partition, e.Offset, e.EventId, e.CausationId,
                new(toOperator ? e.Data : EventPrivacy.ToShopper(e.Type, e.Data)),
                cause?.Type, before is null ? null : Math.Max(0, (e.At - before.At).TotalMilliseconds)));
            earlier.TryAdd(e.EventId, e);
            last = e;
        }
        return told;
    }
}
