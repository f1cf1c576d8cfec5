using Shop.Activity.StoringEvents;

namespace Shop.Activity.ReadingEvents;

/// <summary>One event of an order, from whichever service.</summary>
internal sealed record TimelineEvent(string Type, DateTimeOffset At, string Topic, int Partition, long Offset, Guid Id, Guid? CausationId, RawJson? Data)
{
    public static TimelineEvent Of(StoredEvent stored) => new(
        stored.Type, stored.At, stored.Topic, stored.Partition, stored.Offset, stored.EventId, stored.CausationId,
        stored.Data is { } data ? new RawJson(data) : null);
}
