namespace Shop.Orders.RecordingHistory;

/// <summary>An event of an order, from whichever service, as it was published.</summary>
public sealed record OrderEvent
{
    /// <summary>The order.</summary>
    public required Guid OrderId { get; init; }

    /// <summary>
    /// Its place in the order's history, from 1, without gaps: given once, when it was recorded, and the same for everybody who asks.
    /// 0 while it waits for its place.
    /// </summary>
    public int Sequence { get; init; }

    /// <summary>The event's own id, as it was published.</summary>
    public required Guid EventId { get; init; }

    /// <summary>Its CloudEvents type, for example <c>shop.orders.order-submitted.v1</c>.</summary>
    public required string Type { get; init; }

    /// <summary>The topic it was read from.</summary>
    public required string Topic { get; init; }

    /// <summary>The topic's partition.</summary>
    public required int Partition { get; init; }

    /// <summary>The partition's offset.</summary>
    public required long Offset { get; init; }

    /// <summary>When it happened, by the clock of the service that published it.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The event that caused it; null where there is none.</summary>
    public Guid? CausationId { get; init; }

    /// <summary>What was published, without what nobody keeps (<see cref="Contracts.EventPrivacy"/>): JSON.</summary>
    public required string Data { get; init; }
}
