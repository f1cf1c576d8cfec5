using System.Diagnostics;
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

    /// <summary>Nothing changes, but the event asks again for what was told before: it is told again.</summary>
    public sealed record Repeat(object Event) : ReservationDecision;

    /// <summary>The event has no effect, and there is nothing to tell.</summary>
    public sealed record Ignore : ReservationDecision;
}

/// <summary>The rules of reservations, as pure functions of what was decided before, the stock and the event.</summary>
/// <remarks>
/// Repeated deliveries are dropped before they come here. So what comes again was said again: an order is being repaired, because an
/// answer may be lost. What was decided stays decided, and the order is told once more how it stands.
/// </remarks>
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
            return Repeat(reservation);
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
    public static ReservationDecision OnCancelled(Reservation? reservation) => reservation switch
    {
        { Status: ReservationStatus.Reserved } => new ReservationDecision.Release(reservation.Lines),
        { Status: ReservationStatus.Released or ReservationStatus.Dispatched } => Repeat(reservation),
        _ => Ignore,
    };

    /// <summary>
    /// Dispatches what is held. Where it is not held any more, the order is told so: it can never be sent. Where nothing was ever
    /// decided nothing is, rather than ending an order whose submission can be repeated.
    /// </summary>
    public static ReservationDecision OnConfirmed(Reservation? reservation) => reservation switch
    {
        { Status: ReservationStatus.Reserved } => new ReservationDecision.Dispatch(reservation.Lines),
        not null => Repeat(reservation),
        null => Ignore,
    };

    private static ReservationDecision.Repeat Repeat(Reservation reservation) => new(reservation.Status switch
    {
        ReservationStatus.Reserved => new StockReserved(reservation.OrderId, reservation.Lines),
        ReservationStatus.Rejected => new StockRejected(reservation.OrderId, reservation.Shortages),
        ReservationStatus.Released => new StockReleased(reservation.OrderId, reservation.Lines),
        ReservationStatus.Dispatched => new StockDispatched(reservation.OrderId, reservation.Lines),
        _ => throw new UnreachableException(),
    });

    /// <summary>One line a sku, in the order of their first appearance; a sum beyond an integer stays the largest, which no stock covers.</summary>
    private static List<ReservedLine> BySku(IReadOnlyList<OrderLine> lines) =>
        [.. lines.Where(line => line.Quantity >= 1).GroupBy(line => line.Sku, StringComparer.Ordinal)
            .Select(group => new ReservedLine(group.Key, (int)Math.Min(int.MaxValue, group.Sum(line => (long)line.Quantity))))];
}
