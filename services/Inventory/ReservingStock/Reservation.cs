using Shop.Contracts;

namespace Shop.Inventory.ReservingStock;

/// <summary>Where an order's reservation stands.</summary>
internal enum ReservationStatus
{
    /// <summary>The pieces are held for the order.</summary>
    Reserved,

    /// <summary>Stock did not suffice, nothing was held.</summary>
    Rejected,

    /// <summary>The pieces were given back.</summary>
    Released,

    /// <summary>The pieces have left the warehouse.</summary>
    Dispatched,
}

/// <summary>What was decided for an order. There is one row for each order that asked, for ever: it makes repeats harmless.</summary>
internal sealed class Reservation
{
    /// <summary>A new decision.</summary>
    public Reservation(Guid orderId, ReservationStatus status, IReadOnlyList<ReservedLine> lines, IReadOnlyList<Shortage> shortages, DateTimeOffset decidedAt)
    {
        OrderId = orderId;
        Status = status;
        Lines = lines;
        Shortages = shortages;
        DecidedAt = decidedAt;
    }

    public Guid OrderId { get; private set; }

    public ReservationStatus Status { get; private set; }

    /// <summary>What the order asked for: one line for each sku.</summary>
    public IReadOnlyList<ReservedLine> Lines { get; private set; }

    /// <summary>What was missing when it was rejected; empty otherwise.</summary>
    public IReadOnlyList<Shortage> Shortages { get; private set; }

    public DateTimeOffset DecidedAt { get; private set; }

    /// <summary>When the held pieces were released or dispatched.</summary>
    public DateTimeOffset? EndedAt { get; private set; }

    /// <summary>The held pieces were released or dispatched.</summary>
    public void End(ReservationStatus status, DateTimeOffset now)
    {
        Status = status;
        EndedAt = now;
    }
}
