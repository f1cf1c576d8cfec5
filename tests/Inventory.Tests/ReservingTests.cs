using System.Text.Json;
using Shop.Contracts;
using Shop.Inventory.Tests.Hosting;
using Shop.Testing;

namespace Shop.Inventory.Tests;

/// <summary>Orders' events through the real endpoint: broker, two instances of the service, PostgreSQL.</summary>
public sealed class ReservingTests(ShopFixture shops)
{
    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    [Theory, MemberData(nameof(Brokers))]
    public async Task An_order_is_reserved_and_dispatched(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        await shop.Instance.StockUpAsync("dispatch", 20);
        using var kafka = new KafkaClient(shop.Kafka);
        var order = Guid.CreateVersion7();

        var submitted = await kafka.PublishAsync(Events.Submitted(order, ("dispatch", 12)));
        var reserved = await kafka.NextAsync(Topics.Reservations, order);
        Assert.Equal(
            ("shop.reservations.stock-reserved.v1", $$"""{"orderId":"{{order}}","lines":[{"sku":"dispatch","quantity":12}]}"""),
            (reserved.Type, reserved.Body));
        Assert.Equal(submitted, reserved.CausationId);
        Assert.Equal((20, 12, 8, 0), await LevelsAsync(shop, "dispatch"));

        await kafka.PublishAsync(new OrderConfirmed(order));
        Assert.Equal("shop.reservations.stock-dispatched.v1", (await kafka.NextAsync(Topics.Reservations, order)).Type);
        Assert.Equal((8, 0, 8, 12), await LevelsAsync(shop, "dispatch"));
        // late: what has left stays away, and the order is told so
        await kafka.PublishAsync(new OrderCancelled(order, "late"));
        Assert.Equal("shop.reservations.stock-dispatched.v1", (await kafka.NextAsync(Topics.Reservations, order)).Type);
        await AssertNothingMoreAsync(shop, kafka, order);
        Assert.Equal((8, 0, 8, 12), await LevelsAsync(shop, "dispatch"));

        var told = new List<(string Type, int Available)>();
        while (told.Count < 5)
        {
            var read = await kafka.NextAsync(Topics.Stock, "dispatch");
            told.Add((read.Type, JsonElement.Parse(read.Body).GetProperty("available").GetInt32()));
        }
        const string Level = "shop.stock.stock-level-changed.v1", Low = "shop.stock.stock-ran-low.v1";
        Assert.Equal([(Level, 0), (Level, 20), (Level, 8), (Low, 8), (Level, 8)], told);
    }

    [Theory, MemberData(nameof(Brokers))]
    public async Task A_cancelled_order_gives_back_once_however_often_it_is_told(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        await shop.Instance.StockUpAsync("release", 20);
        using var kafka = new KafkaClient(shop.Kafka);
        var order = Guid.CreateVersion7();

        var submitted = await kafka.PublishAsync(Events.Submitted(order, ("release", 5)));
        Assert.Equal("shop.reservations.stock-reserved.v1", (await kafka.NextAsync(Topics.Reservations, order)).Type);
        // the same delivery again has no answer; the same news under another id is a repair, which is told how it stands
        await kafka.PublishAsync(Events.Submitted(order, ("release", 5)), submitted);
        await kafka.PublishAsync(Events.Submitted(order, ("release", 5)));
        Assert.Equal("shop.reservations.stock-reserved.v1", (await kafka.NextAsync(Topics.Reservations, order)).Type);
        var cancelled = await kafka.PublishAsync(new OrderCancelled(order, "changed my mind"));
        await kafka.PublishAsync(new OrderCancelled(order, "changed my mind"), cancelled);
        await kafka.PublishAsync(new OrderCancelled(order, "changed my mind"));
        await kafka.PublishAsync(new OrderConfirmed(order));

        for (var told = 0; told < 3; told++)
        {
            var released = await kafka.NextAsync(Topics.Reservations, order);
            Assert.Equal(
                ("shop.reservations.stock-released.v1", $$"""{"orderId":"{{order}}","lines":[{"sku":"release","quantity":5}]}"""),
                (released.Type, released.Body));
        }
        await AssertNothingMoreAsync(shop, kafka, order);
        Assert.Equal((20, 0, 20, 0), await LevelsAsync(shop, "release"));
    }

    [Theory, MemberData(nameof(Brokers))]
    public async Task An_order_for_too_much_holds_nothing(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        await shop.Instance.StockUpAsync("reject", 20);
        using var kafka = new KafkaClient(shop.Kafka);
        var order = Guid.CreateVersion7();

        await kafka.PublishAsync(Events.Submitted(order, ("reject", 5), ("no-such-thing", 2)));
        var rejected = await kafka.NextAsync(Topics.Reservations, order);
        Assert.Equal(
            ("shop.reservations.stock-rejected.v1", $$"""{"orderId":"{{order}}","shortages":[{"sku":"no-such-thing","requested":2,"available":0}]}"""),
            (rejected.Type, rejected.Body));
        await kafka.PublishAsync(new OrderCancelled(order, "Not in stock"));
        await AssertNothingMoreAsync(shop, kafka, order);
        await kafka.PublishAsync(Events.Submitted(order, ("reject", 5), ("no-such-thing", 2)));
        var again = await kafka.NextAsync(Topics.Reservations, order);
        Assert.Equal((rejected.Type, rejected.Body), (again.Type, again.Body));
        Assert.Equal((20, 0, 20, 0), await LevelsAsync(shop, "reject"));
    }

    [Theory, MemberData(nameof(Brokers))]
    public async Task Parallel_orders_for_scarce_things_never_oversell_nor_deadlock(Broker broker)
    {
        const int Orders = 400, Pieces = 60;
        var shop = await shops.OnAsync(broker);
        string[] skus = ["scarce-a", "scarce-b", "scarce-c", "scarce-d"];
        foreach (var sku in skus)
            await shop.Instance.StockUpAsync(sku, Pieces);
        using var kafka = new KafkaClient(shop.Kafka);
        var random = new Random(20261122);
        var orders = Enumerable.Range(0, Orders).Select(_ => Guid.CreateVersion7()).ToList();

        // every order wants two or three of the skus, in an order of its own
        await Task.WhenAll(orders.Select(order =>
            kafka.PublishAsync(Events.Submitted(order, random.GetItems(skus, 3).Distinct().Select(sku => (sku, random.Next(1, 4)))))));
        await DecidedAsync(Orders);
        Assert.Equal(0, await shop.ScalarAsync<long>(Unequal("reserved", "reserved")));
        Assert.NotEqual(0, await shop.ScalarAsync<long>("SELECT sum(reserved) FROM stock WHERE sku LIKE 'scarce-%'"));

        // half of them go, half of them come back, in parallel
        await Task.WhenAll(orders.Select((order, i) => kafka.PublishAsync(i % 2 == 0 ? new OrderConfirmed(order) : new OrderCancelled(order, "test"))));
        await Eventually.BecomesAsync(0L, () => shop.ScalarAsync<long>("SELECT sum(reserved) FROM stock WHERE sku LIKE 'scarce-%'"));
        Assert.Equal(0, await shop.ScalarAsync<long>(Unequal("dispatched", "dispatched")));
        Assert.Equal(skus.Length * Pieces, await shop.ScalarAsync<long>("SELECT sum(on_hand + dispatched) FROM stock WHERE sku LIKE 'scarce-%'"));
        Assert.Equal(0, await shop.ScalarAsync<long>(RunningInventory.UnequalToLedger("scarce-%")));
        Assert.Equal(0, await shop.ScalarAsync<long>("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"));
        Assert.Equal(0, await shop.ScalarAsync<long>("SELECT count(*) FROM dead_letters"));

        Task DecidedAsync(long count) => Eventually.BecomesAsync(count, () => shop.ScalarAsync<long>(
            "SELECT count(*) FROM reservations WHERE lines @? '$[*] ? (@.sku starts with \"scarce-\")'"));

        static string Unequal(string column, string status) => $"""
            SELECT count(*) FROM stock WHERE sku LIKE 'scarce-%' AND {column} <> (
              SELECT coalesce(sum((line->>'quantity')::int), 0) FROM reservations, jsonb_array_elements(lines) AS line
              WHERE status = '{status}' AND line->>'sku' = stock.sku)
            """;
    }

    [Theory, MemberData(nameof(Brokers))]
    public async Task The_last_pieces_go_to_as_many_orders_as_there_are_pieces(Broker broker)
    {
        const int Orders = 120, Pieces = 30;
        var shop = await shops.OnAsync(broker);
        await shop.Instance.StockUpAsync("last-pieces", Pieces);
        using var kafka = new KafkaClient(shop.Kafka);

        await Task.WhenAll(Enumerable.Range(0, Orders).Select(_ => kafka.PublishAsync(Events.Submitted(Guid.CreateVersion7(), ("last-pieces", 1)))));
        await Eventually.BecomesAsync((long)Pieces, () => CountAsync("reserved"));
        await Eventually.BecomesAsync((long)(Orders - Pieces), () => CountAsync("rejected"));
        Assert.Equal((Pieces, Pieces, 0, 0), await LevelsAsync(shop, "last-pieces"));

        Task<long> CountAsync(string status) => shop.ScalarAsync<long>(
            $"SELECT count(*) FROM reservations WHERE status = '{status}' AND lines @> '[{{\"sku\":\"last-pieces\"}}]'");
    }

    /// <summary>Everything that Inventory had to say about the order was read before.</summary>
    private static async Task AssertNothingMoreAsync(RunningInventory shop, KafkaClient kafka, Guid order)
    {
        // records of a partition are handled in their order: when this one has its answer, those before it were handled
        var behind = Guid.CreateVersion7();
        await kafka.PublishBehindAsync(order, Events.Submitted(behind, ("no-such-thing", 1)));
        await kafka.NextAsync(Topics.Reservations, behind);
        await Eventually.BecomesAsync(0L, () => shop.ScalarAsync<long>($"SELECT count(*) FROM outbox WHERE key = '{order}'"));
        Assert.Empty(await kafka.ReadToEndAsync(Topics.Reservations, order));
    }

    private static async Task<(int OnHand, int Reserved, int Available, int Dispatched)> LevelsAsync(RunningInventory shop, string sku) =>
        (await shop.Instance.GetJsonAsync($"/api/stock/{sku}")).Levels();
}
