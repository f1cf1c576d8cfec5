using Shop.Contracts;

namespace Shop.Inventory.ReservingStock;

/// <summary>What an order's event does to its reservation.</summary>
internal abstract record ReservationDecision
{
    /// <summary>Hold these pieces.</summary>
    public sealed record Reserve(IReadOnlyList<ReservedLine> Lines) : ReservationDecision;

    /// <summary>Hold nothing, because of the shortages.</summary>
    public sealed record Reject(IReadOnlyList<ReservedLine> Lines, IReadOnlyList<Shortage> Shortages) : ReservationDecision;

    /// <summary>Give these pieces back.</summary>
    public sealed record Release(IReadOnlyList<ReservedLine> Lines) : ReservationDecision;

    /// <summary>Send these pieces.</summary>
    public sealed record Dispatch(IReadOnlyList<ReservedLine> Lines) : ReservationDecision;

    /// <summary>The event comes again or too late: it has no effect.</summary>
    public sealed record Ignore : ReservationDecision;
}

/// <summary>The rules of reservations, as pure functions of what was decided before, the stock and the event.</summary>
internal static class ReservationDecider
{
    private static readonly ReservationDecision.Ignore Ignore = new();

    /// <summary>All of the order's lines are reserved, or none. An order that was decided before is not decided again.</summary>
    /// <param name="reservation">What was decided for the order before.</param>
    /// <param name="lines">The order's lines; a sku may occur more than once.</param>
    /// <param name="available">Pieces of a sku that can be ordered; 0 for one that does not exist.</param>
    public static ReservationDecision OnSubmitted(Reservation? reservation, IReadOnlyList<OrderLine> lines, Func<string, int> available)
    {
        if (reservation is not null)
            return Ignore;
        var wanted = BySku(lines);
        var shortages = wanted
            .Where(line => line.Quantity > available(line.Sku))
            .Select(line => new Shortage(line.Sku, line.Quantity, available(line.Sku)))
            // Orders lets no such line pass; were one to come, it must not become stock
            .Concat(lines.Where(line => line.Quantity < 1).Select(line => new Shortage(line.Sku, line.Quantity, available(line.Sku))))
            .ToList();
        return shortages.Count == 0
            ? new ReservationDecision.Reserve(wanted)
            : new ReservationDecision.Reject(wanted, shortages);
    }

    /// <summary>
    /// Releases what is held. The topic has an order's events in their order, so there is nothing to wait for where nothing was
    /// decided; and what has left the warehouse stays away.
    /// </summary>
    public static ReservationDecision OnCancelled(Reservation? reservation) =>
        reservation is { Status: ReservationStatus.Reserved } ? new ReservationDecision.Release(reservation.Lines) : Ignore;

    /// <summary>Dispatches what is held; what was rejected or released before cannot be.</summary>
    public static ReservationDecision OnConfirmed(Reservation? reservation) =>
        reservation is { Status: ReservationStatus.Reserved } ? new ReservationDecision.Dispatch(reservation.Lines) : Ignore;

    /// <summary>One line a sku, in the order of their first appearance; a sum beyond an integer stays the largest, which no stock covers.</summary>
    private static List<ReservedLine> BySku(IReadOnlyList<OrderLine> lines) =>
        [.. lines.Where(line => line.Quantity >= 1).GroupBy(line => line.Sku, StringComparer.Ordinal)
            .Select(group => new ReservedLine(group.Key, (int)Math.Min(int.MaxValue, group.Sum(line => (long)line.Quantity))))];
}
