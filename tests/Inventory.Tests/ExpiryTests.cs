using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Shop.Contracts;
using Shop.Inventory.ExpiringReservations;
using Shop.Inventory.Tests.Hosting;
using Shop.Testing;

namespace Shop.Inventory.Tests;

public sealed class ExpiryTests(ShopFixture shops)
{
    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    [Long]
    [Theory, MemberData(nameof(Brokers))]
    public async Task What_was_reserved_for_too_long_is_given_back_and_told_once(Broker broker)
    {
        await using var shop = await shops.StartOwnAsync(broker);
        await shop.Instance.StockUpAsync("expire", 20);
        using var kafka = new KafkaClient(shop.Kafka);
        var order = Guid.CreateVersion7();
        await kafka.PublishAsync(Events.Submitted(order, ("expire", 5)));
        await kafka.NextAsync(Topics.Reservations, order);

        await ExpiryAfter(shop, TimeSpan.FromHours(47)).RunOnceAsync(TestContext.Current.CancellationToken);
        Assert.Equal((20, 5, 15, 0), (await shop.Instance.GetJsonAsync("/api/stock/expire")).Levels());
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => ExpiryAfter(shop, TimeSpan.FromHours(49)).RunOnceAsync(TestContext.Current.CancellationToken)));
        Assert.Equal((20, 0, 20, 0), (await shop.Instance.GetJsonAsync("/api/stock/expire")).Levels());

        var released = await kafka.NextAsync(Topics.Reservations, order);
        Assert.Equal(("shop.reservations.stock-released.v1", $$"""{"orderId":"{{order}}","lines":[{"sku":"expire","quantity":5}]}"""), (released.Type, released.Body));
        // a confirmation that comes after all is told that nothing is held
        await kafka.PublishAsync(new OrderConfirmed(order));
        Assert.Equal("shop.reservations.stock-released.v1", (await kafka.NextAsync(Topics.Reservations, order)).Type);
        Assert.Equal((20, 0, 20, 0), (await shop.Instance.GetJsonAsync("/api/stock/expire")).Levels());
        Assert.Equal(["receipt", "order", "expiry"], (await shop.Instance.MovementsAsync("expire")).Select(m => m.GetProperty("cause").GetString()));
    }

    [Long]
    [Theory, MemberData(nameof(Brokers))]
    public async Task Orders_that_are_confirmed_while_they_expire_are_sent_or_given_back_and_never_both(Broker broker)
    {
        const int Orders = 300;
        await using var shop = await shops.StartOwnAsync(broker);
        foreach (var sku in (string[])["expire-a", "expire-b"])
            await shop.Instance.StockUpAsync(sku, Orders);
        using var kafka = new KafkaClient(shop.Kafka);
        var orders = Enumerable.Range(0, Orders).Select(_ => Guid.CreateVersion7()).ToList();
        await Task.WhenAll(orders.Select((order, i) => kafka.PublishAsync(Events.Submitted(order, i % 2 == 0 ? [("expire-a", 1), ("expire-b", 1)] : [("expire-b", 1), ("expire-a", 1)]))));
        await Eventually.BecomesAsync((long)Orders, () => shop.ScalarAsync<long>("SELECT count(*) FROM reservations WHERE status = 'reserved'"));

        var confirming = Task.WhenAll(orders.Select(order => kafka.PublishAsync(new OrderConfirmed(order))));
        await Eventually.BecomesTrueAsync(async () => await shop.ScalarAsync<long>("SELECT count(*) FROM reservations WHERE status = 'dispatched'") > 0);
        await ExpiryAfter(shop, TimeSpan.FromHours(49)).RunOnceAsync(TestContext.Current.CancellationToken);
        await confirming;
        await Eventually.BecomesAsync(0L, () => shop.ScalarAsync<long>("SELECT count(*) FROM reservations WHERE status = 'reserved'"));

        var sent = (int)await shop.ScalarAsync<long>("SELECT count(*) FROM reservations WHERE status = 'dispatched'");
        foreach (var sku in (string[])["expire-a", "expire-b"])
            Assert.Equal((Orders - sent, 0, Orders - sent, sent), (await shop.Instance.GetJsonAsync($"/api/stock/{sku}")).Levels());
        Assert.Equal(0, await shop.ScalarAsync<long>(RunningInventory.UnequalToLedger("expire-%")));
        Assert.Equal(0, await shop.ScalarAsync<long>("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"));
        Assert.Equal(0, await shop.ScalarAsync<long>("SELECT count(*) FROM dead_letters"));
    }

    [Long]
    [Fact]
    public async Task What_is_reserved_of_a_product_that_is_gone_holds_up_no_others()
    {
        await using var shop = await shops.StartOwnAsync(Broker.Embedded);
        foreach (var sku in (string[])["expire-gone", "expire-anew", "expire-stays"])
            await shop.Instance.StockUpAsync(sku, 20);
        using var kafka = new KafkaClient(shop.Kafka);
        var (orphan, other) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await kafka.PublishAsync(Events.Submitted(orphan, ("expire-gone", 2), ("expire-anew", 3), ("expire-stays", 4)));
        await kafka.NextAsync(Topics.Reservations, orphan);
        await kafka.PublishAsync(Events.Submitted(other, ("expire-stays", 5)));
        await kafka.NextAsync(Topics.Reservations, other);
        // what orders hold keeps a product from being removed, unless nobody asks
        await shop.Database.ExecuteAsync("ALTER TABLE stock DISABLE TRIGGER USER; DELETE FROM products WHERE sku IN ('expire-gone', 'expire-anew'); ALTER TABLE stock ENABLE TRIGGER USER");
        await shop.Instance.StockUpAsync("expire-anew", 7);

        await ExpiryAfter(shop, TimeSpan.FromHours(49)).RunOnceAsync(TestContext.Current.CancellationToken);

        foreach (var order in (Guid[])[orphan, other])
            Assert.Equal("shop.reservations.stock-released.v1", (await kafka.NextAsync(Topics.Reservations, order)).Type);
        Assert.Equal((20, 0, 20, 0), (await shop.Instance.GetJsonAsync("/api/stock/expire-stays")).Levels());
        Assert.Equal((7, 0, 7, 0), (await shop.Instance.GetJsonAsync("/api/stock/expire-anew")).Levels());
        Assert.Equal(0, await shop.ScalarAsync<long>("SELECT count(*) FROM reservations WHERE status = 'reserved'"));
        Assert.Equal(0, await shop.ScalarAsync<long>(RunningInventory.UnequalToLedger("expire-stays")));
    }

    [Fact]
    public async Task A_cancelled_order_of_a_product_that_is_gone_gives_back_the_others()
    {
        await using var shop = await shops.StartOwnAsync(Broker.Embedded);
        foreach (var sku in (string[])["cancel-gone", "cancel-stays"])
            await shop.Instance.StockUpAsync(sku, 20);
        using var kafka = new KafkaClient(shop.Kafka);
        var order = Guid.CreateVersion7();
        await kafka.PublishAsync(Events.Submitted(order, ("cancel-gone", 2), ("cancel-stays", 4)));
        await kafka.NextAsync(Topics.Reservations, order);
        await shop.Database.ExecuteAsync("ALTER TABLE stock DISABLE TRIGGER USER; DELETE FROM products WHERE sku = 'cancel-gone'; ALTER TABLE stock ENABLE TRIGGER USER");

        await kafka.PublishAsync(new OrderCancelled(order, "changed my mind"));

        Assert.Equal("shop.reservations.stock-released.v1", (await kafka.NextAsync(Topics.Reservations, order)).Type);
        Assert.Equal((20, 0, 20, 0), (await shop.Instance.GetJsonAsync("/api/stock/cancel-stays")).Levels());
        Assert.Equal(0, await shop.ScalarAsync<long>("SELECT count(*) FROM dead_letters"));
    }

    [Fact]
    public async Task Reservations_that_expire_within_the_hour_are_no_start()
    {
        var database = await shops.CreateDatabaseAsync();
        var refusal = Assert.Throws<OptionsValidationException>(() => new InventoryInstance(database, "127.0.0.1:1", settings: ("Reservations:Lifetime", "00:59:59")));
        Assert.Contains("Reservations:Lifetime must be from 01:00:00", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>The expiry as it is some time from now.</summary>
    private static ReservationExpiry ExpiryAfter(RunningInventory shop, TimeSpan ahead) => new(
        shop.Instance.Services.GetRequiredService<IServiceScopeFactory>(), shop.Instance.Services.GetRequiredService<IOptions<ReservationLifetime>>(),
        new ShiftedTime { Ahead = ahead }, NullLogger<ReservationExpiry>.Instance);
}
