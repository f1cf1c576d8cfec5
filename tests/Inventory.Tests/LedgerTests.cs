using System.Net;
using System.Text.Json;
using Npgsql;
using Shop.Contracts;
using Shop.Inventory.Tests.Hosting;
using Shop.Testing;

namespace Shop.Inventory.Tests;

public sealed class LedgerTests(ShopFixture shops)
{
    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    [Theory, MemberData(nameof(Brokers))]
    public async Task Every_movement_is_in_the_ledger_with_its_cause_and_the_sums_are_the_levels(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        await shop.Instance.StockUpAsync("ledger", 20);
        using var kafka = new KafkaClient(shop.Kafka);
        var (sent, cancelled) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await kafka.PublishAsync(Events.Submitted(sent, ("ledger", 3)));
        await kafka.NextAsync(Topics.Reservations, sent);
        await kafka.PublishAsync(Events.Submitted(cancelled, ("ledger", 5)));
        await kafka.NextAsync(Topics.Reservations, cancelled);
        await kafka.PublishAsync(new OrderConfirmed(sent));
        await kafka.NextAsync(Topics.Reservations, sent);
        await kafka.PublishAsync(new OrderCancelled(cancelled, "changed my mind"));
        await kafka.NextAsync(Topics.Reservations, cancelled);
        using var corrected = await shop.Instance.PostCorrectionAsync("ledger", "ledger-1", """{"onHand":15,"reason":"two were broken"}""");
        Assert.Equal(HttpStatusCode.OK, corrected.StatusCode);

        var movements = await shop.Instance.MovementsAsync("ledger", limit: 2);
        Assert.Equal(
            [
                ("receipt", 20, 0, 0), ("order", 0, 3, 0), ("order", 0, 5, 0), ("order", -3, -3, 3), ("order", 0, -5, 0), ("correction", -2, 0, 0),
            ],
            movements.Select(m => (m.GetProperty("cause").GetString()!, Number(m, "onHand"), Number(m, "reserved"), Number(m, "dispatched"))));
        Assert.Equal([$"{sent}", $"{cancelled}", $"{sent}", $"{cancelled}", "ledger-1"], movements.Skip(1).Select(m => m.GetProperty("reference").GetString()));
        Assert.Equal("two were broken", movements[^1].GetProperty("reason").GetString());
        Assert.Equal((15, 0, 15, 3), (await shop.Instance.GetJsonAsync("/api/stock/ledger")).Levels());
        Assert.Equal(0, await shop.ScalarAsync<long>(RunningInventory.UnequalToLedger("ledger")));
    }

    [Theory]
    [InlineData("UPDATE stock_movements SET on_hand = 0")]
    [InlineData("DELETE FROM stock_movements")]
    [InlineData("TRUNCATE stock_movements")]
    public async Task The_ledger_is_only_added_to(string sql)
    {
        var shop = await shops.WithoutBrokerAsync();

        await Assert.ThrowsAsync<PostgresException>(() => shop.Database.ExecuteAsync(sql));
    }

    [Fact]
    public async Task SQL_writes_no_level_without_its_movement_and_takes_no_stock_from_its_product()
    {
        const string Product = "INSERT INTO products (sku, name, description, price_amount, price_currency) VALUES ('by-hand', 'n', 'd', 1, 'EUR')";
        const string Movement = "INSERT INTO stock_movements (sku, on_hand, reserved, dispatched, cause, moved_at) VALUES ('mug-red', 1, 0, 0, 'correction', now())";
        const string Levels = "SELECT string_agg(s::text, ' ' ORDER BY sku) FROM stock s";
        await using var shop = await shops.StartWithoutBrokerAsync(instances: 1);
        var before = await shop.ScalarAsync<string>(Levels);
        foreach (var (sql, wayOut) in ((string, string)[])
        [
            ("UPDATE stock SET on_hand = on_hand + 1 WHERE sku = 'mug-red'", "/corrections"),
            ("UPDATE stock SET reserved = 1 WHERE sku = 'mug-red'", "/corrections"),
            ("UPDATE stock SET dispatched = 1 WHERE sku = 'mug-red'", "/corrections"),
            ($"{Product}; INSERT INTO stock (sku, on_hand, reserved, dispatched) VALUES ('by-hand', 5, 0, 0)", "/receipts"),
            (Movement, "/corrections"),
            ("DELETE FROM stock WHERE sku = 'mug-red'", "DELETE FROM products"),
            ("TRUNCATE stock CASCADE", "DELETE FROM products"),
            ($"{Product}; UPDATE stock SET sku = 'by-hand' WHERE sku = 'mug-red'", "UPDATE products"),
        ])
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => shop.Database.ExecuteAsync(sql));
            Assert.Equal(PostgresErrorCodes.RestrictViolation, refused.SqlState);
            Assert.Contains(wayOut, refused.Hint, StringComparison.Ordinal);
        }
        Assert.Equal(before, await shop.ScalarAsync<string>(Levels));

        // what changes no level is free, and stock follows its product
        await shop.Database.ExecuteAsync($"{Product}; INSERT INTO stock (sku, on_hand, reserved, dispatched) VALUES ('by-hand', 0, 0, 0)");
        await shop.Database.ExecuteAsync("UPDATE stock SET on_hand = on_hand, sku = sku");
        await shop.Database.ExecuteAsync("DELETE FROM products WHERE sku = 'mug-blue'");
        await shop.Database.ExecuteAsync("UPDATE products SET sku = 'mug-steel' WHERE sku = 'mug-travel'");
        // as an instance of the version before does, whose sessions say nothing of movements
        await shop.Database.ExecuteAsync($"SET plan_cache_mode = force_custom_plan; UPDATE stock SET on_hand = on_hand + 1 WHERE sku = 'mug-red'; {Movement}");
        Assert.Equal("by-hand 0, mug-red 301, mug-steel 150", await shop.ScalarAsync<string>(
            "SELECT string_agg(sku || ' ' || on_hand, ', ' ORDER BY sku) FROM stock WHERE sku = 'by-hand' OR sku LIKE 'mug-%'"));
        Assert.Equal(0, await shop.ScalarAsync<long>(RunningInventory.UnequalToLedger("%")));
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=1001", "limit")]
    [InlineData("limit=x", "limit")]
    [InlineData("after=-1", "after")]
    [InlineData("after=x", "after")]
    public async Task A_bad_page_is_refused_by_field(string query, string field)
    {
        var shop = await shops.WithoutBrokerAsync();
        using var answer = await shop.Instance.SendAsync(HttpMethod.Get, $"/api/ops/stock/mug-red/movements?{query}", null, TestTokens.Operator());
        await Answers.AssertProblemAsync(answer, HttpStatusCode.BadRequest, field);
    }

    [Fact]
    public async Task The_ledger_of_what_does_not_exist_is_not_found_and_others_may_not_look()
    {
        var shop = await shops.WithoutBrokerAsync();
        using var unknown = await shop.Instance.SendAsync(HttpMethod.Get, "/api/ops/stock/no-such-thing/movements", null, TestTokens.Operator());
        await Answers.AssertUnknownAsync(unknown, "no-such-thing");
        using var shopper = await shop.Instance.SendAsync(HttpMethod.Get, "/api/ops/stock/mug-red/movements", null, TestTokens.Shopper("ada"));
        await Answers.AssertProblemAsync(shopper, HttpStatusCode.Forbidden, field: null);
    }

    private static int Number(JsonElement movement, string name) => movement.GetProperty(name).GetInt32();
}
