using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Messaging.Consuming;

namespace Shop.Orders.CopyingCatalog;

/// <summary>Keeps Orders' copy of the catalogue: one upsert and one delete for a whole batch of changes.</summary>
/// <remarks>Reads records rather than events, because a product that is gone is a record without a body.</remarks>
public sealed class ProductCopier(OrdersDb db) : IRecordBatchHandler
{
    /// <inheritdoc/>
    /// <exception cref="JsonException">A record is not what its type says.</exception>
    /// <exception cref="FormatException">A price breaks the contract of <see cref="Money"/>.</exception>
    public async Task HandleAsync(IReadOnlyList<ConsumedRecord> records, CancellationToken cancellationToken)
    {
        // a statement may touch a row once only, and of several changes to a product the last is the product
        var newest = new Dictionary<string, ProductChanged?>(records.Count, StringComparer.Ordinal);
        foreach (var record in records)
        {
            if (record.Body is null)
                newest[record.Key] = null;
            else if (Topics.Catalog.TryGetEvent(record.Event.Type, out var type) && type.ClrType == typeof(ProductChanged))
                newest[record.Key] = Read(record.Body);
        }

        var gone = newest.Where(product => product.Value is null).Select(product => product.Key).ToArray();
        var changed = newest.Values.OfType<ProductChanged>().OrderBy(product => product.Sku, StringComparer.Ordinal).ToList();
        if (gone.Length > 0)
            await db.Products.Where(product => gone.Contains(product.Sku)).ExecuteDeleteAsync(cancellationToken);
        if (changed.Count == 0)
            return;
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO products (sku, price, currency)
            SELECT * FROM unnest({changed.ConvertAll(product => product.Sku)}, {changed.ConvertAll(product => product.Price.Amount)}, {changed.ConvertAll(product => product.Price.Currency)})
            ON CONFLICT (sku) DO UPDATE SET price = excluded.price, currency = excluded.currency
            """, cancellationToken);
    }

    private static ProductChanged Read(byte[] body)
    {
        var product = JsonSerializer.Deserialize(body, ContractsJson.Default.ProductChanged)
            ?? throw new JsonException("The event's data is null");
        // the column would round silently, and nobody should pay a price that was never published
        return product.Price.Amount >= 0 && decimal.Round(product.Price.Amount, 2) == product.Price.Amount
            ? product
            : throw new FormatException($"The price {product.Price.Amount} of {product.Sku} is negative or has more than two decimals");
    }
}
