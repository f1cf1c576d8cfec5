using Shop.Contracts;
using Shop.Inventory.Products;
using Shop.Inventory.Stock;
using Shop.Messaging.WarmUp;

namespace Shop.Inventory;

/// <summary>A product looked at, and its stock reserved and sent.</summary>
internal sealed class InventoryWarmUp(InventoryDb db, TimeProvider time) : IWarmUp
{
    public async Task RunAsync(Rehearsal rehearsal, CancellationToken cancellationToken)
    {
        var (sku, price, order) = ($"warm-up-{Guid.CreateVersion7():N}", new Money(1, "EUR"), Guid.CreateVersion7());
        db.Products.Add(new Product(sku, sku, "", price, time.GetUtcNow()));
        db.Stock.Add(new StockItem(sku, 1));
        await db.SaveChangesAsync(cancellationToken);

        await rehearsal.RequestAsync("GET", "/api/catalog", cancellationToken);
        await rehearsal.HandleAsync("reservations",
        [
            new OrderSubmitted(order, "warm-up", [new(sku, 1, price)], price, new("A", "1", "B", "1", "DE"), time.GetUtcNow()),
            new OrderConfirmed(order),
        ], cancellationToken);
    }
}
