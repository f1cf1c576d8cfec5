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
        // no lock: only the consumer of the order's partition writes its reservation, and this transaction has moved that offset
        var orderIds = orders.ToArray();
        await foreach (var reservation in db.Reservations.Where(r => orderIds.Contains(r.OrderId)).AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            if (reservation.Status == ReservationStatus.Reserved)
                skus.UnionWith(reservation.Lines.Select(line => line.Sku));
        }
        var skuArray = skus.ToArray();
        await db.Stock.FromSql($"SELECT sku, on_hand, reserved, dispatched FROM stock WHERE sku = ANY({skuArray}) ORDER BY sku FOR UPDATE").LoadAsync(cancellationToken);
    }
}
