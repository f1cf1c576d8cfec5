using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Messaging.Consuming;

namespace Shop.Inventory.ReservingStock;

/// <summary>
/// Loads a batch's reservations, then locks the stock of all its products. Every batch locks in the order of the skus, so batches
/// that need the same products wait for each other and never for ever.
/// </summary>
internal sealed class StockPrefetch(InventoryDb db) : IBatchPrefetch
{
    /// <inheritdoc/>
    public async Task PrefetchAsync(IReadOnlyList<object> messages, CancellationToken cancellationToken)
    {
        var orders = new HashSet<Guid>();
        var skus = new HashSet<string>(StringComparer.Ordinal);
        foreach (var message in messages)
        {
            switch (message)
            {
                case OrderSubmitted submitted:
                    orders.Add(submitted.OrderId);
                    skus.UnionWith(submitted.Lines.Select(line => line.Sku));
                    break;
                case OrderCancelled cancelled:
                    orders.Add(cancelled.OrderId);
                    break;
                case OrderConfirmed confirmed:
                    orders.Add(confirmed.OrderId);
                    break;
            }
        }
        // Locked because they may be expiring. Whoever locks stock has all of its reservations by then, so nobody waits in a circle.
        var orderIds = orders.ToArray();
        var reservations = db.Reservations.FromSql($"SELECT * FROM reservations WHERE order_id = ANY({orderIds}) FOR UPDATE");
        await foreach (var reservation in reservations.AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            if (reservation.Status == ReservationStatus.Reserved)
                skus.UnionWith(reservation.Lines.Select(line => line.Sku));
        }
        await db.LockStockAsync(skus, cancellationToken);
    }
}
