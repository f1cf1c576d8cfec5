using Shop.Contracts;
using Shop.Inventory.Stock;

namespace Shop.Inventory.ReservingStock;

/// <summary>Gives back what reservations hold.</summary>
internal static partial class StockReleases
{
    /// <summary>
    /// Ends a reservation and gives back its pieces. A product that was removed by force has no stock to give them back to, or a new one that does not hold
    /// so many: such a line is passed over, and the others do not wait for it.
    /// </summary>
    /// <param name="db">The unit of work.</param>
    /// <param name="reservation">The reservation, which is locked.</param>
    /// <param name="holderOf">The stock that holds a line, locked; null where none does.</param>
    /// <param name="cause">Why.</param>
    /// <param name="now">When.</param>
    /// <param name="logger">Where it is said what is passed over.</param>
    public static void Release(this InventoryDb db, Reservation reservation, Func<ReservedLine, StockItem?> holderOf, MovementCause cause, DateTimeOffset now, ILogger logger)
    {
        foreach (var line in reservation.Lines)
        {
            if (holderOf(line) is { } item && item.Reserved >= line.Quantity)
                db.Record(new(item.Release(line.Quantity), cause, reservation.OrderId.ToString(), null, now));
            else
                ReservedPiecesGone(logger, line.Quantity, line.Sku, reservation.OrderId);
        }
        reservation.End(ReservationStatus.Released, now);
    }

    [LoggerMessage(EventName = "ReservedPiecesGone", Level = LogLevel.Warning, Message = "{Quantity} pieces of {Sku} that order {OrderId} held are not given back: its stock does not hold them, since the product was removed by force")]
    private static partial void ReservedPiecesGone(ILogger logger, int quantity, string sku, Guid orderId);
}
