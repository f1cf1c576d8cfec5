using Shop.Activity.StoringEvents;
using Shop.Contracts;
using Shop.ServiceDefaults;

namespace Shop.Activity.ReadingEvents;

/// <summary>One event of an order, from whichever service, with what led to it.</summary>
internal sealed record TimelineEvent(string Type, DateTimeOffset At, string Topic, int Partition, long Offset, Guid Id, Guid? CausationId, RawJson? Data)
{
    /// <summary>The type of the event that caused it; null where none of the order's events did.</summary>
    public string? CausedBy { get; init; }

    /// <summary>
    /// Milliseconds since the event that caused it, or since the one before it where none did; null for the first. Two services' clocks may
    /// differ by more than a step takes: such a step is shown as 0.
    /// </summary>
    public double? TookMs { get; init; }

    /// <param name="stored">The event.</param>
    /// <param name="toOperator">Whether all of it may be seen.</param>
    public static TimelineEvent Of(StoredEvent stored, bool toOperator) => new(
        stored.Type, stored.At, stored.Topic, stored.Partition, stored.Offset, stored.EventId, stored.CausationId,
        stored.Data is { } data ? new RawJson(toOperator ? data : EventPrivacy.ToShopper(stored.Type, data)) : null);
}
