using System.Net;
using Shop.Inventory.Tests.Hosting;
using Shop.Testing;

namespace Shop.Inventory.Tests;

/// <summary>A DBA takes something from what the log tells of products: nothing is lost of it, and what Inventory cannot mend it says.</summary>
public sealed class CaptureNarrowedTests(ShopFixture shops)
{
    private const string Columns = "INSERT INTO products (sku, name, description, price_amount, price_currency) VALUES";

    [Fact]
    public async Task A_publication_without_some_rows_columns_or_changes_is_mended_and_nothing_is_lost()
    {
        await using var shop = await shops.StartOwnAsync(Broker.Embedded);
        using var kafka = new KafkaClient(shop.Kafka);
        foreach (var (i, narrowed) in ((string[])["SET TABLE products WHERE (sku = 'no-such-thing')", "SET TABLE products (sku, name)", "SET (publish = 'insert')"]).Index())
        {
            var (stays, goes) = ($"stays-{i}", $"goes-{i}");
            await shop.Database.ExecuteAsync($"{Columns} ('{stays}', 'n', 'd', 1, 'EUR'), ('{goes}', 'n', 'd', 1, 'EUR')");
            foreach (var sku in (string[])[stays, goes])
                await kafka.IsToldAsync(sku, body => body.Length > 0);

            await shop.Database.ExecuteAsync($"ALTER PUBLICATION products_changes {narrowed}");
            await shop.Database.ExecuteAsync($"UPDATE products SET price_amount = 2 WHERE sku = '{stays}'; DELETE FROM products WHERE sku = '{goes}'");

            await kafka.IsToldAsync(stays, body => body.Contains("2.00", StringComparison.Ordinal));
            await kafka.IsToldAsync(goes, body => body.Length == 0);
        }
    }

    [Fact]
    public async Task A_replica_identity_without_the_key_is_told_in_words_by_readiness_and_nothing_is_lost()
    {
        await using var shop = await shops.StartOwnAsync(Broker.Embedded);
        using var kafka = new KafkaClient(shop.Kafka);
        await shop.Database.ExecuteAsync($"{Columns} ('first', 'n', 'd', 1, 'EUR'), ('goes', 'n', 'd', 1, 'EUR')");
        foreach (var sku in (string[])["first", "goes"])
            await kafka.IsToldAsync(sku, body => body.Length > 0);

        await shop.Database.ExecuteAsync("""
            ALTER TABLE products ADD COLUMN code integer NOT NULL GENERATED ALWAYS AS IDENTITY;
            CREATE UNIQUE INDEX products_by_code ON products (code);
            ALTER TABLE products REPLICA IDENTITY USING INDEX products_by_code
            """);
        // neither the sku that was, nor the one that is gone, is in the log now
        await shop.Database.ExecuteAsync("UPDATE products SET sku = 'renamed' WHERE sku = 'first'; DELETE FROM products WHERE sku = 'goes'");
        await shop.SaysAsync(HttpStatusCode.OK, "without its key sku, so that no change tells which row it is of: ALTER TABLE products REPLICA IDENTITY DEFAULT");
        await shop.Database.ExecuteAsync("ALTER TABLE products REPLICA IDENTITY DEFAULT");

        await kafka.IsToldAsync("renamed", body => body.Length > 0);
        foreach (var sku in (string[])["first", "goes"])
            await kafka.IsToldAsync(sku, body => body.Length == 0);
    }
}
