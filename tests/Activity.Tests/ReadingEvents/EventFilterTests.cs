using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shop.Activity.ReadingEvents;
using Shop.Activity.Tests.Hosting;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Activity.Tests.ReadingEvents;

/// <summary>The feed and timelines of an order, a shopper, a product and a trace.</summary>
public sealed class EventFilterTests(ShopFixture shops)
{
    [Fact]
    public async Task Events_are_found_by_order_shopper_sku_and_trace_in_both_directions_and_page_by_page()
    {
        var shop = await shops.OnAsync(Broker.Embedded);
        using var kafka = new KafkaWriter(shop.Kafka);
        var (mine, other) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var (shopper, sku, trace) = ($"ada-{mine:N}", $"sku-{mine:N}", mine.ToString("N"));
        await kafka.PublishAsync(new ProductChanged(sku, "a", "b", new(1, "EUR")));
        await kafka.PublishAsync(new OrderSubmitted(mine, shopper, [new(sku, 1, new(1, "EUR")), new(sku, 2, new(1, "EUR"))], new(1, "EUR"), new("A", "B", "C", "D", "DE"), DateTimeOffset.UtcNow), trace: trace);
        await kafka.PublishAsync(new OrderSubmitted(other, $"bob-{mine:N}", [new("mug", 1, new(1, "EUR"))], new(1, "EUR"), new("A", "B", "C", "D", "DE"), DateTimeOffset.UtcNow));
        await Eventually.BecomesAsync(2, async () => (await TypesAsync(shop, $"timeline?sku={sku}")).Count);
        await kafka.PublishAsync(new StockReserved(mine, [new(sku, 1)]), trace: trace);
        await Eventually.BecomesAsync(3, async () => (await TypesAsync(shop, $"timeline?sku={sku}")).Count);
        await kafka.PublishAsync(new PaymentAuthorized(mine, mine, new(1, "EUR")));
        await Eventually.BecomesAsync(3, async () => (await TypesAsync(shop, $"timeline?order={mine}")).Count);

        string[] order = ["order-submitted", "stock-reserved", "payment-authorized"];
        Assert.Equal(order, await TypesAsync(shop, $"timeline?order={mine}"));
        Assert.Equal(order.Reverse(), await TypesAsync(shop, $"feed?order={mine}"));
        Assert.Equal(order, await TypesAsync(shop, $"timeline?shopper={shopper}"));
        Assert.Equal(["product-changed", .. order], (await TypesAsync(shop, $"timeline?sku={sku}")).Order(Comparer<string>.Create((a, b) => a == "product-changed" ? -1 : b == "product-changed" ? 1 : 0)));
        Assert.Equal(order.Take(2), await TypesAsync(shop, $"timeline?trace={trace}"));
        Assert.Equal(["stock-reserved"], await TypesAsync(shop, $"timeline?trace={trace}&order={mine}&after={(await shop.ReadAsync($"/api/activity/timeline?trace={trace}&limit=1")).GetProperty("next").GetString()}"));
        Assert.Empty(await TypesAsync(shop, $"timeline?shopper={shopper}&order={other}"));
    }

    [Fact]
    public async Task A_products_events_are_looked_up_by_their_keys_unless_they_are_everywhere()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        var database = await shops.CreateDatabaseAsync();
        await using var shop = await ShopFixture.StartAsync(broker.BootstrapServers, database);
        await using var source = NpgsqlDataSource.Create(database);
        await using var fill = source.CreateCommand("""
            WITH ordered AS (INSERT INTO ordered_skus (sku, order_id) SELECT CASE WHEN i % 5000 = 0 THEN 'rare' ELSE 'popular' END, gen_random_uuid() FROM generate_series(1, 10000) i RETURNING order_id)
            INSERT INTO events (event_id, type, topic, partition, record_offset, key, source, subject, at, data, malformed)
              SELECT gen_random_uuid(), 'x', 'orders', 0, row_number() OVER (), order_id::text, '/x', '', now(), '{}', false FROM ordered, generate_series(1, 3);
            ANALYZE events, ordered_skus
            """);
        await fill.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await using var scope = shop.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ActivityDb>();
        await db.Database.OpenConnectionAsync(TestContext.Current.CancellationToken);

        var rare = (await new EventFilter(null, null, "rare", null).InAsync(db, TestContext.Current.CancellationToken)).AsNoTracking().OrderByDescending(e => e.Position).Take(51);
        await using var statement = (NpgsqlCommand)rare.CreateDbCommand();
        var plan = (await QueryPlan.OfAsync(statement, TestContext.Current.CancellationToken)).Lines;
        Assert.Contains(plan, line => line.Contains("events_by_key", StringComparison.Ordinal));
        Assert.DoesNotContain(plan, line => line.Contains("events_pkey", StringComparison.Ordinal) || line.Contains("Seq Scan on events", StringComparison.Ordinal));
        Assert.Equal(6, await rare.CountAsync(TestContext.Current.CancellationToken));
        var popular = await new EventFilter(null, null, "popular", null).InAsync(db, TestContext.Current.CancellationToken);
        Assert.Equal(29_994, await popular.CountAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("timeline", "order")]
    [InlineData("timeline?limit=5", "order")]
    [InlineData("feed?order=x", "order")]
    [InlineData("feed?trace=12", "trace")]
    [InlineData("feed?sku=", "sku")]
    [InlineData("timeline?shopper=%00", "shopper")]
    [InlineData("timeline?shopper=a&after=x", "after")]
    public async Task A_bad_query_is_refused_by_name(string query, string field)
    {
        var shop = await shops.OnAsync(Broker.Embedded);

        using var answer = await shop.GetAsync($"/api/activity/{query}", TestTokens.Operator());
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal([field], problem.GetProperty("errors").EnumerateObject().Select(error => error.Name));
    }

    private static async Task<IReadOnlyList<string>> TypesAsync(RunningActivity shop, string query) =>
        [.. (await shop.ReadAsync($"/api/activity/{query}")).GetProperty("items").EnumerateArray().Select(e => e.GetProperty("type").GetString()!.Split('.')[2])];
}
