using Microsoft.EntityFrameworkCore;
using Shop.Inventory.Stock;

namespace Shop.Inventory.SeedingProducts;

/// <summary>Fills an empty catalogue at the first start, so that there is something to order.</summary>
internal sealed partial class ProductSeeder(IServiceScopeFactory scopes, TimeProvider time, ILogger<ProductSeeder> logger) : IHostedService
{
    /// <summary>Key of the advisory lock that lets one instance seed at a time: "shopseed" in ASCII.</summary>
    private const long SeedLock = 0x73686f7073656564;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<InventoryDb>();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({SeedLock})", cancellationToken);
        if (await db.Products.AnyAsync(cancellationToken))
            return;

        var now = time.GetUtcNow();
        foreach (var (sku, name, price, onHand, description) in ProductSeeds.All)
        {
            db.Products.Add(new(sku, name, description, new(price, "EUR"), now));
            var stock = new StockItem(sku);
            db.Stock.Add(stock);
            db.Record(new(stock.Receive(onHand), MovementCause.Receipt, null, "first catalogue", now));
        }
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        CatalogSeeded(logger, ProductSeeds.All.Count);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(EventName = "CatalogSeeded", Level = LogLevel.Information, Message = "The catalogue was empty and now has {Count} products")]
    private static partial void CatalogSeeded(ILogger logger, int count);
}
