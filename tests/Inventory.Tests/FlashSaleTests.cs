using System.Text.Json;
using Npgsql;
using Shop.Contracts;
using Shop.Inventory.Tests.Hosting;
using Shop.Testing;

namespace Shop.Inventory.Tests;

/// <summary>Many orders for few pieces, on two instances of which one is killed.</summary>
public sealed class FlashSaleTests(ShopFixture shops)
{
    private const int Shoppers = 200;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    [Long]
    [Theory, MemberData(nameof(Brokers))]
    public async Task A_flash_sale_sells_what_there_is_although_an_instance_is_killed(Broker broker)
    {
        const int Pieces = 100;
        // each costs the same on both
        var orders = broker == Broker.Embedded ? 10_000 : 2_000;
        await using var sale = await SaleAsync(broker);
        await sale.Survivor.StockUpAsync("flash", Pieces);
        using var kafka = new KafkaClient(sale.Kafka);

        var first = PublishAsync(kafka, orders / 2, _ => [("flash", 1)]);
        await Eventually.BecomesTrueAsync(async () => await sale.CountAsync("SELECT count(*) FROM reservations") > 0, Deadline);
        var second = PublishAsync(kafka, orders / 2, _ => [("flash", 1)]);
        await sale.Victim.KillAsync();
        await Task.WhenAll(first, second);

        await Eventually.BecomesAsync(orders, () => sale.CountAsync("SELECT count(*) FROM reservations"), Deadline);
        await Eventually.BecomesAsync(0, () => sale.CountAsync("SELECT count(*) FROM outbox"), Deadline);
        Assert.Equal(Pieces, await sale.CountAsync("SELECT count(*) FROM reservations WHERE status = 'reserved'"));
        Assert.Equal((Pieces, Pieces, 0, 0), (await sale.Survivor.GetJsonAsync("/api/stock/flash")).Levels());
        Assert.Equal(0, await sale.CountAsync(RunningInventory.UnequalToLedger("%")));
        Assert.Equal(Pieces + 1, (await sale.Survivor.MovementsAsync("flash", limit: 40)).Count);

        // what was told: the level at every offset, and each order's answer (the relay may repeat what it sent before the kill)
        var levels = await kafka.ReadToEndAsync(Topics.Stock, read => read.Key == "flash");
        Assert.All(levels, level => Assert.InRange(JsonElement.Parse(level.Body).GetProperty("available").GetInt32(), 0, Pieces));
        Assert.Single(levels.Where(level => level.Type == "shop.stock.stock-ran-low.v1").DistinctBy(level => level.Id));
        var answers = (await kafka.ReadToEndAsync(Topics.Reservations, _ => true)).DistinctBy(answer => answer.Id).ToList();
        Assert.Equal(orders, answers.Select(answer => answer.Key).Distinct().Count());
        Assert.Equal(Pieces, answers.Count(answer => answer.Type == "shop.reservations.stock-reserved.v1"));
        var rejected = answers.Where(answer => answer.Type == "shop.reservations.stock-rejected.v1").ToList();
        Assert.Equal(orders - Pieces, rejected.Count);
        Assert.All(rejected, answer => Assert.Equal("""[{"sku":"flash","requested":1,"available":0}]""", JsonElement.Parse(answer.Body).GetProperty("shortages").GetRawText()));
    }

    [Long]
    [Theory, MemberData(nameof(Brokers))]
    public async Task Orders_that_want_the_same_in_opposite_order_do_not_deadlock_whatever_operators_do(Broker broker)
    {
        const int Pieces = 1_000_000;
        var orders = broker == Broker.Embedded ? 5000 : 1000;
        await using var sale = await SaleAsync(broker);
        foreach (var sku in (string[])["there", "back"])
            await sale.Survivor.StockUpAsync(sku, Pieces);
        using var kafka = new KafkaClient(sale.Kafka);

        var publishing = PublishAsync(kafka, orders, i => i % 2 == 0 ? [("there", 1), ("back", 2)] : [("back", 2), ("there", 1)]);
        for (var received = 0; received < 20; received++)
        {
            using var there = await sale.Survivor.PostReceiptAsync("there", $"there-{received}", """{"quantity":1}""");
            using var back = await sale.Victim.PostReceiptAsync("back", $"back-{received}", """{"quantity":1}""");
            Assert.True(there.IsSuccessStatusCode && back.IsSuccessStatusCode);
        }
        await publishing;

        await Eventually.BecomesAsync(orders, () => sale.CountAsync("SELECT count(*) FROM reservations WHERE status = 'reserved'"), Deadline);
        Assert.Equal((Pieces + 20, orders, Pieces + 20 - orders, 0), (await sale.Survivor.GetJsonAsync("/api/stock/there")).Levels());
        Assert.Equal((Pieces + 20, 2 * orders, Pieces + 20 - 2 * orders, 0), (await sale.Survivor.GetJsonAsync("/api/stock/back")).Levels());
        Assert.Equal(0, await sale.CountAsync(RunningInventory.UnequalToLedger("%")));
        Assert.Equal(0, await sale.CountAsync("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"));
        Assert.Equal(0, await sale.CountAsync("SELECT count(*) FROM dead_letters"));
    }

    private static Task PublishAsync(KafkaClient kafka, int orders, Func<int, (string Sku, int Quantity)[]> lines) =>
        Task.WhenAll(Enumerable.Range(0, orders).Select(i => kafka.PublishAsync(Events.Submitted(Guid.CreateVersion7(), lines(i)) with { ShopperId = $"shopper-{i % Shoppers}" })));

    private async Task<Sale> SaleAsync(Broker broker)
    {
        var database = await shops.CreateDatabaseAsync();
        var kafka = await RunningBroker.StartAsync(broker);
        var instances = await Task.WhenAll(InventoryProcess.StartAsync(database, kafka.BootstrapServers), InventoryProcess.StartAsync(database, kafka.BootstrapServers));
        return new(NpgsqlDataSource.Create(database), kafka, instances[0], instances[1]);
    }

    /// <summary>Two instances, with a database and a broker of their own.</summary>
    private sealed record Sale(NpgsqlDataSource Database, RunningBroker Broker, InventoryProcess Survivor, InventoryProcess Victim) : IAsyncDisposable
    {
        public string Kafka => Broker.BootstrapServers;

        public async Task<int> CountAsync(string sql)
        {
            await using var command = Database.CreateCommand(sql);
            return (int)(long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
        }

        public async ValueTask DisposeAsync()
        {
            await Survivor.DisposeAsync();
            await Victim.DisposeAsync();
            await Broker.DisposeAsync();
            await Database.DisposeAsync();
        }
    }
}
