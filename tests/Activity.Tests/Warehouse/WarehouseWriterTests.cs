using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Shop.Activity.Tests.Hosting;
using Shop.Activity.Tests.RebuildingFeed;
using Shop.Contracts;
using Shop.Contracts.Warehouse;
using Shop.Testing;

namespace Shop.Activity.Tests.Warehouse;

/// <summary>From topics to files, through the service: each test has a broker and a folder of its own.</summary>
public sealed class WarehouseWriterTests(ShopFixture shops)
{
    private static readonly (string, string)[] Quick = [("Warehouse:MaxAge", "00:00:00.2"), ("Warehouse:MergeInterval", "01:00:00")];

    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    [Long]
    [Theory, MemberData(nameof(Brokers))]
    public async Task Every_record_is_a_row_with_its_fields_as_columns(Broker broker)
    {
        await using var running = await RunningBroker.StartAsync(broker);
        using var folder = new TemporaryFolder();
        await using var shop = await StartAsync(running, folder, Quick);
        using var kafka = new KafkaWriter(shop.Kafka);
        var (order, payment, time) = (Guid.CreateVersion7(), Guid.CreateVersion7(), new DateTimeOffset(2026, 11, 26, 10, 30, 0, TimeSpan.Zero).AddTicks(1234560));
        var id = await kafka.PublishAsync(new OrderSubmitted(order, "ada", [new("mug-blue", 2, new(9.50m, "EUR"))], new(19.01m, "EUR"), new("A", "B", "C'\"ö", "D", "DE"), time), at: time);
        var cause = await kafka.PublishAsync(new PaymentRequested(order, payment, "ada", new(19.01m, "EUR"), "tok_secret"), causedBy: id);
        await kafka.WriteAsync(Topics.Orders, order.ToString(), "shop.orders.never-heard-of.v9", """{"orderId":7,"total":{"amount":"x"},"reason":"\ud800","n":1}"""u8.ToArray());
        await kafka.WriteAsync(Topics.Orders, "odd", "shop.orders.order-submitted.v1", [0, 1, 0xFF]);
        await kafka.WriteAsync(Topics.Orders, "deep", "shop.orders.order-submitted.v1", Encoding.UTF8.GetBytes(new string('[', 5_000)));
        await kafka.WriteAsync(Topics.Catalog, "mug-blue", "shop.catalog.product-changed.v1", null);
        using (var topics = new TopicClient(shop.Kafka))
            await topics.ProduceAsync(Topics.Orders, TopicClient.Message(null, "no event"u8.ToArray()));
        await kafka.PublishAsync(new ProductViewed(payment, "mug-blue"));

        using var warehouse = new WarehouseQuery(folder.Path);
        await Eventually.BecomesAsync(8, () => Task.FromResult(warehouse.Records()));
        Assert.Equal([$"{order} shop.orders.order-submitted.v1 /test 2026-11-26 10:30:00.123456 19.0100 EUR C'\"ö mug-blue"],
            await warehouse.ReadAsync($"SELECT order_id, type, source, strftime(time::TIMESTAMP, '%Y-%m-%d %H:%M:%S.%f'), total_amount, total_currency, ship_to_city, lines::JSON->0->>'sku' FROM orders WHERE id = '{id}'"));
        Assert.Equal([$"{payment} {id}"], await warehouse.ReadAsync($"SELECT payment_id, cause FROM orders WHERE id = '{cause}'"));
        Assert.Equal(["7 null \"\\ud800\""], await warehouse.ReadAsync("SELECT order_id, total_amount, reason FROM orders WHERE type LIKE '%never%'"));
        Assert.Equal(["3 2"], await warehouse.ReadAsync("SELECT count(*), count(id) FROM orders WHERE order_id IS NULL AND data LIKE '\"%\"'"));
        Assert.Equal(["1 null"], await warehouse.ReadAsync("SELECT count(*), any_value(data) FROM catalog WHERE key = 'mug-blue'"));
        Assert.Equal([$"{payment} mug-blue"], await warehouse.ReadAsync("SELECT visitor_id, sku FROM shopper_activity"));
        Assert.Equal(["8"], await warehouse.ReadAsync("SELECT count(*) FROM events WHERE topic NOT IN ('logs', 'alarms')"));
        Assert.DoesNotContain(Directory.EnumerateFiles(folder.Path, "*.parquet", SearchOption.AllDirectories), file => Encoding.UTF8.GetString(File.ReadAllBytes(file)).Contains("tok_secret", StringComparison.Ordinal));
    }

    [Long]
    [Fact]
    public async Task Files_end_by_size_and_are_merged_and_readers_notice_nothing()
    {
        await using var running = await RunningBroker.StartAsync(Broker.Embedded);
        using var folder = new TemporaryFolder();
        await using var shop = await StartAsync(running, folder, ("Warehouse:MaxSize", "30000"), ("Warehouse:MaxAge", "00:00:00.2"), ("Warehouse:MergeInterval", "00:00:00.3"), ("Warehouse:MergedKept", "00:00:02"));
        using var load = new TopicLoad(shop.Kafka, seed: 1);
        using var warehouse = new WarehouseQuery(folder.Path);
        var (written, seen) = (0L, 0L);
        for (var i = 0; i < 10; i++)
        {
            written += await load.WriteAsync(200);
            var rows = await CountOfAsync(warehouse);
            Assert.InRange(rows, seen, written);
            seen = rows;
        }
        await Eventually.BecomesAsync(written, () => CountOfAsync(warehouse));
        // more than what one file had by size
        await Eventually.BecomesTrueAsync(() => Task.FromResult(warehouse.Files().Any(file => file.Last - file.First > 150)));
        Assert.Equal([$"{written} 0"], await warehouse.ReadAsync("SELECT count(*), count(*) - count(DISTINCT (topic, partition, \"offset\")) FROM events WHERE topic NOT IN ('logs', 'alarms')"));
        // who reads has all files that were listed, and what is written meanwhile is there too
        using (await WarehouseAccess.ReadAsync(folder.Path, TestContext.Current.CancellationToken))
        {
            var listed = warehouse.Files();
            for (var i = 0; i < 6; i++)
            {
                written += await load.WriteAsync(200);
                await Eventually.BecomesAsync(written, () => Task.FromResult(warehouse.Records()));
            }
            Assert.All(listed, file => Assert.True(File.Exists(Path.Combine(folder.Path, file.Path)), file.Path));
        }
        // what was merged is deleted in the end
        await Eventually.BecomesTrueAsync(() => Task.FromResult(Directory.EnumerateFiles(folder.Path, "*.parquet", SearchOption.AllDirectories).Count() == warehouse.Files().Count));
    }

    [Long]
    [Fact]
    public async Task A_second_instance_takes_over_where_the_first_ended()
    {
        await using var running = await RunningBroker.StartAsync(Broker.Embedded);
        using var folder = new TemporaryFolder();
        using var load = new TopicLoad(running.BootstrapServers, seed: 2);
        using var warehouse = new WarehouseQuery(folder.Path);
        var first = await StartAsync(running, folder, Quick);
        var written = (long)await load.WriteAsync(100);
        await Eventually.BecomesAsync(written, () => Task.FromResult(warehouse.Records()));
        await using var second = await StartAsync(running, folder, Quick);
        written += await load.WriteAsync(100);
        await first.DisposeAsync();
        await Eventually.BecomesAsync(written, () => Task.FromResult(warehouse.Records()));
        written += await load.WriteAsync(100);
        await Eventually.BecomesAsync(written, () => Task.FromResult(warehouse.Records()));
        Assert.Equal([$"{written} 0"], await warehouse.ReadAsync("SELECT count(*), count(*) - count(DISTINCT (topic, partition, \"offset\")) FROM events WHERE topic NOT IN ('logs', 'alarms')"));
    }

    [Fact]
    public async Task Names_and_values_that_are_no_text_are_left_out_of_their_row_and_of_no_other()
    {
        await using var running = await RunningBroker.StartAsync(Broker.Embedded);
        using var folder = new TemporaryFolder();
        await using var shop = await StartAsync(running, folder, Quick);
        using var kafka = new KafkaWriter(shop.Kafka);
        var order = Guid.CreateVersion7();
        await kafka.WriteAsync(Topics.Orders, order.ToString(), "shop.orders.order-submitted.v1", """{"\ud800\ud800":1}"""u8.ToArray());
        await kafka.WriteAsync(Topics.Orders, order.ToString(), "shop.orders.order-submitted.v1", """{"orderId":"x","submittedAt":"\ud800-01-01T00:00:00Z"}"""u8.ToArray());
        await kafka.PublishAsync(new OrderConfirmed(order));

        using var warehouse = new WarehouseQuery(folder.Path);
        await Eventually.BecomesAsync(3, () => Task.FromResult(warehouse.Records()));
        Assert.Equal(["null", "x", $"{order}"], await warehouse.ReadAsync("SELECT order_id FROM orders ORDER BY \"offset\""));
    }

    [Long]
    [Fact]
    public async Task A_topic_that_was_made_anew_is_archived_anew_and_holds_up_no_others()
    {
        using var folder = new TemporaryFolder();
        using var warehouse = new WarehouseQuery(folder.Path);
        await using (var before = await RunningBroker.StartAsync(Broker.Embedded))
        {
            // with all their partitions, before anything writes to them
            await Rebuilds.CreateTopicsAsync(before);
            await using var shop = await StartAsync(before, folder, Quick);
            using var load = new TopicLoad(shop.Kafka, seed: 21);
            using var kafka = new KafkaWriter(shop.Kafka);
            var written = (long)await load.WriteAsync(20) + 4;
            for (var i = 0; i < 3; i++)
                await kafka.PublishAsync(new StockRanLow("mug-blue", i));
            await kafka.WriteAsync(Topics.Catalog, "mug-blue", "shop.catalog.product-changed.v1", "{}"u8.ToArray());
            await Eventually.BecomesAsync(written, () => Task.FromResult(warehouse.Records()));
        }
        var old = warehouse.Files().Select(file => file.Name).ToHashSet();

        await using var after = await RunningBroker.StartAsync(Broker.Embedded);
        await Rebuilds.CreateTopicsAsync(after);
        await using var again = await StartAsync(after, folder, Quick);
        // orders have grown past what the files have, stock has not, and the catalogue is empty
        using var more = new TopicLoad(again.Kafka, seed: 22);
        using var writer = new KafkaWriter(again.Kafka);
        await writer.PublishAsync(new StockRanLow("mug-blue", 7));
        await more.WriteAsync(200);
        var health = again.Services.GetRequiredService<HealthCheckService>();
        await Eventually.BecomesAsync("7", async () => string.Join(' ', await warehouse.ReadAsync("SELECT data::JSON->>'available' FROM stock")));
        await Eventually.BecomesTrueAsync(async () => (await health.CheckHealthAsync(TestContext.Current.CancellationToken)).Entries["warehouse"].Description?.Contains("catalog", StringComparison.Ordinal) == true);
        await Eventually.BecomesAsync("200", async () => string.Join(' ', await warehouse.ReadAsync("SELECT count(DISTINCT order_id) FROM orders WHERE type LIKE '%submitted%'")));
        await writer.WriteAsync(Topics.Catalog, "mug-blue", "shop.catalog.product-changed.v1", """{"sku":"new"}"""u8.ToArray());
        await Eventually.BecomesAsync("""{"sku":"new"}""", async () => string.Join(' ', await warehouse.ReadAsync("SELECT data FROM catalog")));
        await Eventually.BecomesAsync(HealthStatus.Healthy, async () => (await health.CheckHealthAsync(TestContext.Current.CancellationToken)).Entries["warehouse"].Status);
        // nothing of before is lost
        Assert.Superset(old, Directory.EnumerateFiles(folder.Path, "*.parquet", SearchOption.AllDirectories).Select(path => Path.GetFileName(path)).ToHashSet());
    }

    [Long]
    [Fact]
    public async Task A_topic_that_has_lost_its_end_and_grown_again_waits_and_its_files_stay()
    {
        using var folder = new TemporaryFolder();
        using var warehouse = new WarehouseQuery(folder.Path);
        Guid[] ids = [Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7()];
        await using (var before = await RunningBroker.StartAsync(Broker.Embedded))
        {
            await Rebuilds.CreateTopicsAsync(before);
            await using var shop = await StartAsync(before, folder, Quick);
            using var kafka = new KafkaWriter(shop.Kafka);
            foreach (var id in ids)
                await kafka.PublishAsync(new StockRanLow("mug-blue", 1), id: id);
            await Eventually.BecomesAsync("3", async () => string.Join(' ', await warehouse.ReadAsync("SELECT count(*) FROM stock")));
        }
        var lost = (await warehouse.ReadAsync("SELECT DISTINCT partition FROM stock")).Single();

        await using var after = await RunningBroker.StartAsync(Broker.Embedded);
        await Rebuilds.CreateTopicsAsync(after);
        using var writer = new KafkaWriter(after.BootstrapServers);
        await writer.PublishAsync(new StockRanLow("mug-blue", 1), id: ids[0]);
        for (var i = 0; i < 4; i++)
            await writer.PublishAsync(new StockRanLow("mug-blue", 7));
        await using var again = await StartAsync(after, folder, Quick);
        var health = again.Services.GetRequiredService<HealthCheckService>();
        await Eventually.BecomesTrueAsync(async () => (await health.CheckHealthAsync(TestContext.Current.CancellationToken)).Entries["warehouse"].Description?.EndsWith($": stock[{lost}]", StringComparison.Ordinal) == true);
        // others go on, and what the topic has not any more is still there
        await writer.PublishAsync(new OrderConfirmed(Guid.CreateVersion7()));
        await Eventually.BecomesAsync("1", async () => string.Join(' ', await warehouse.ReadAsync("SELECT count(*) FROM orders")));
        Assert.Equal("1 1 1", string.Join(' ', await warehouse.ReadAsync("SELECT data::JSON->>'available' FROM stock")));
    }

    [Fact]
    public async Task Of_a_topic_that_has_lost_the_end_of_one_partition_the_others_go_on()
    {
        using var folder = new TemporaryFolder();
        using var warehouse = new WarehouseQuery(folder.Path);
        var events = Enumerable.Range(0, 20).Select(number => (Id: Guid.CreateVersion7(), Event: new StockRanLow($"sku-{number % 10}", number))).ToList();
        Dictionary<string, string> partitions;
        await using (var before = await RunningBroker.StartAsync(Broker.Embedded))
        {
            await Rebuilds.CreateTopicsAsync(before);
            await using var shop = await StartAsync(before, folder, Quick);
            using var kafka = new KafkaWriter(shop.Kafka);
            foreach (var (id, ranLow) in events)
                await kafka.PublishAsync(ranLow, id: id);
            await Eventually.BecomesAsync("20", async () => string.Join(' ', await warehouse.ReadAsync("SELECT count(*) FROM stock")));
            partitions = (await warehouse.ReadAsync("SELECT DISTINCT key, partition FROM stock")).Select(row => row.Split(' ')).ToDictionary(row => row[0], row => row[1]);
        }
        var lost = partitions["sku-0"];
        await using var after = await RunningBroker.StartAsync(Broker.Embedded);
        await Rebuilds.CreateTopicsAsync(after);
        using var writer = new KafkaWriter(after.BootstrapServers);
        foreach (var (id, ranLow) in events.Where((each, number) => number == 0 || partitions[each.Event.Sku] != lost))
            await writer.PublishAsync(ranLow, id: id);
        var more = await writer.PublishAsync(new StockRanLow(partitions.First(key => key.Value != lost).Key, 99));

        await using var again = await StartAsync(after, folder, Quick);
        var health = again.Services.GetRequiredService<HealthCheckService>();
        await Eventually.BecomesAsync("99", async () => string.Join(' ', await warehouse.ReadAsync($"SELECT data::JSON->>'available' FROM stock WHERE id = '{more}'")));
        Assert.EndsWith($": stock[{lost}]", (await health.CheckHealthAsync(TestContext.Current.CancellationToken)).Entries["warehouse"].Description, StringComparison.Ordinal);
        Assert.Equal(["21"], await warehouse.ReadAsync("SELECT count(*) FROM stock"));
    }

    [Fact]
    public async Task A_topic_that_has_what_its_newest_file_should_have_and_has_not_waits_and_is_told_of()
    {
        await using var running = await RunningBroker.StartAsync(Broker.Embedded);
        using var folder = new TemporaryFolder();
        using var warehouse = new WarehouseQuery(folder.Path);
        await Rebuilds.CreateTopicsAsync(running);
        using var kafka = new KafkaWriter(running.BootstrapServers);
        await using (await StartAsync(running, folder, Quick))
        {
            for (var i = 0; i < 2; i++)
                await kafka.PublishAsync(new StockRanLow("mug-blue", i));
            await Eventually.BecomesAsync("2", async () => string.Join(' ', await warehouse.ReadAsync("SELECT count(*) FROM stock")));
        }
        // one that was ended when the topic had lost the last two records that it was begun for, which others have taken the places of since
        var last = warehouse.Files().Where(file => file.Topic == "stock").MaxBy(file => file.Last)!;
        File.Move(Path.Combine(folder.Path, last.Path), Path.Combine(folder.Path, (last with { Last = last.Last + 2 }).Path));
        for (var i = 0; i < 4; i++)
            await kafka.PublishAsync(new StockRanLow("mug-blue", i));

        await using var again = await StartAsync(running, folder, Quick);
        var health = again.Services.GetRequiredService<HealthCheckService>();
        await Eventually.BecomesTrueAsync(async () => (await health.CheckHealthAsync(TestContext.Current.CancellationToken)).Entries["warehouse"].Description?.EndsWith($": stock[{last.Partition}]", StringComparison.Ordinal) == true);
        // others go on
        await kafka.PublishAsync(new OrderConfirmed(Guid.CreateVersion7()));
        await Eventually.BecomesAsync("1", async () => string.Join(' ', await warehouse.ReadAsync("SELECT count(*) FROM orders")));
        Assert.Equal(["2"], await warehouse.ReadAsync("SELECT count(*) FROM stock"));
    }

    [Long]
    [Fact]
    public async Task Files_that_cannot_be_merged_keep_no_others_from_it()
    {
        await using var running = await RunningBroker.StartAsync(Broker.Embedded);
        using var folder = new TemporaryFolder();
        // of a topic of another shop, and no files at all
        for (var offset = 0; offset < 2; offset++)
        {
            var file = new WarehouseFile("a", 0, new(2026, 11, 29, 10, 0, 0, TimeSpan.Zero), offset, offset);
            Directory.CreateDirectory(Path.Combine(folder.Path, file.Folder));
            await File.WriteAllTextAsync(Path.Combine(folder.Path, file.Path), "broken", TestContext.Current.CancellationToken);
        }
        await using var shop = await StartAsync(running, folder, ("Warehouse:MaxSize", "30000"), ("Warehouse:MaxAge", "00:00:00.2"), ("Warehouse:MergeInterval", "00:00:00.3"));
        using var load = new TopicLoad(shop.Kafka, seed: 23);
        using var warehouse = new WarehouseQuery(folder.Path);
        for (var i = 0; i < 10; i++)
            await load.WriteAsync(100);

        await Eventually.BecomesTrueAsync(() => Task.FromResult(warehouse.Files().Any(file => file.Last - file.First > 150)));
        // each of them is told of once, however often others are merged
        await Eventually.BecomesAsync(2, UnreadableAsync);
        var before = warehouse.Records();
        await load.WriteAsync(100);
        await Eventually.BecomesTrueAsync(() => Task.FromResult(warehouse.Records() > before));
        Assert.Equal(2, await UnreadableAsync());

        async Task<int> UnreadableAsync() => (await shop.ReadAsync("/api/ops/logs?event=WarehouseFileUnreadable")).GetProperty("items").GetArrayLength();
    }

    [Fact]
    public async Task A_folder_that_cannot_be_locked_is_said_by_readiness_until_it_can()
    {
        await using var running = await RunningBroker.StartAsync(Broker.Embedded);
        using var folder = new TemporaryFolder();
        // no lock and no file can be made where a link leads nowhere but to itself
        var held = Path.Combine(folder.Path, "_lock");
        File.CreateSymbolicLink(held, held);
        await using var shop = await StartAsync(running, folder, Quick);
        var health = shop.Services.GetRequiredService<HealthCheckService>();
        await Eventually.BecomesTrueAsync(async () => (await health.CheckHealthAsync(TestContext.Current.CancellationToken)).Entries["workers"].Description?.Contains("warehouse: ", StringComparison.Ordinal) == true);

        File.Delete(held);
        using var kafka = new KafkaWriter(shop.Kafka);
        await kafka.PublishAsync(new OrderConfirmed(Guid.CreateVersion7()));
        using var warehouse = new WarehouseQuery(folder.Path);
        await Eventually.BecomesAsync(1, () => Task.FromResult(warehouse.Records()));
        await Eventually.BecomesAsync(HealthStatus.Healthy, async () => (await health.CheckHealthAsync(TestContext.Current.CancellationToken)).Entries["workers"].Status);
    }

    private async Task<RunningActivity> StartAsync(RunningBroker broker, TemporaryFolder folder, params (string, string)[] settings) =>
        await ShopFixture.StartAsync(broker.BootstrapServers, await shops.CreateDatabaseAsync(), [("Warehouse:Directory", folder.Path), .. settings]);

    private static async Task<long> CountOfAsync(WarehouseQuery warehouse) =>
        long.Parse((await warehouse.ReadAsync("SELECT count(*) FROM events WHERE topic NOT IN ('logs', 'alarms')"))[0], System.Globalization.CultureInfo.InvariantCulture);
}
