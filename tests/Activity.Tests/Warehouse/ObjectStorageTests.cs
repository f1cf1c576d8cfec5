using Amazon.S3;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Npgsql;
using Shop.Activity.RebuildingFeed;
using Shop.Activity.Tests.Hosting;
using Shop.Activity.Tests.RebuildingFeed;
using Shop.Activity.Warehouse;
using Shop.Contracts;
using Shop.Contracts.Warehouse;
using Shop.Messaging.Streams;
using Shop.Testing;

namespace Shop.Activity.Tests.Warehouse;

/// <summary>The warehouse in a storage that speaks S3.</summary>
public sealed class ObjectStorageTests(ShopFixture shops)
{
    private const string EachOnce = "SELECT count(*), count(*) - count(DISTINCT (topic, partition, \"offset\")) FROM events WHERE topic NOT IN ('logs', 'alarms')";

    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    [Fact]
    public async Task Each_record_is_in_one_object_whoever_writes_and_is_read_from_there()
    {
        await using var running = await RunningBroker.StartAsync(Broker.Embedded);
        using var folder = new TemporaryFolder();
        await using var s3 = await S3Server.StartAsync(folder.Path);
        var database = await shops.CreateDatabaseAsync();
        await Rebuilds.CreateTopicsAsync(running);
        using var load = new TopicLoad(running.BootstrapServers, seed: 31);
        var written = 0L;
        for (var instance = 0; instance < 3; instance++)
        {
            await using var shop = await StartAsync(running, database, s3);
            written += await load.WriteAsync(100);
            var warehouse = shop.Services.GetRequiredService<IWarehouse>();
            await Eventually.BecomesAsync(written, async () => Records(await warehouse.ListAsync(CancellationToken.None)));
            using var copy = new TemporaryFolder();
            await CopyAsync(warehouse, copy.Path);
            using var query = new WarehouseQuery(copy.Path);
            Assert.Equal([$"{written} 0"], await query.ReadAsync(EachOnce));
            Assert.Equal(written, await ArchivedAsync(shop.Services, await warehouse.ListAsync(TestContext.Current.CancellationToken)));
        }
    }

    [Fact]
    public async Task What_somebody_has_begun_is_what_others_write()
    {
        await using var running = await RunningBroker.StartAsync(Broker.Embedded);
        using var folder = new TemporaryFolder();
        await using var s3 = await S3Server.StartAsync(folder.Path);
        var database = await shops.CreateDatabaseAsync();
        await Rebuilds.CreateTopicsAsync(running);
        using var load = new TopicLoad(running.BootstrapServers, seed: 32);
        var written = await load.WriteAsync(200);
        // an instance that was lost in the middle of sending a file
        var begun = new WarehouseFile("orders", 0, new(2026, 11, 30, 6, 0, 0, TimeSpan.Zero), 0, 3);
        await NoteAsync(running, database, s3, begun, begin: 0);

        await using var shop = await StartAsync(running, database, s3);
        var warehouse = shop.Services.GetRequiredService<IWarehouse>();
        await Eventually.BecomesAsync((long)written, async () => Records(await warehouse.ListAsync(CancellationToken.None)));
        var orders = await OrdersAsync(warehouse);
        Assert.Equal(begun, orders[0]);
        Assert.Equal(4, orders[1].First);
        // one that does not know that it has lost the lock sends nothing else, and what it does send is the same
        await Assert.ThrowsAsync<IOException>(() => warehouse.WriteAsync(orders[^1] with { Last = orders[^1].Last + 5 }, orders[^1].First, _ => Task.CompletedTask, CancellationToken.None));
        // one of a copied folder whose rows another file has
        var within = begun with { First = 1 };
        await shop.Services.GetRequiredService<IAmazonS3>().PutObjectAsync(new() { BucketName = "warehouse", Key = $"a shop/{within.Path}", ContentBody = "no matter", UseChunkEncoding = false }, TestContext.Current.CancellationToken);
        Assert.DoesNotContain(within, (await warehouse.ListAsync(CancellationToken.None)).Select(file => file.File));
        // nor where others have gone on since, of which the first is not noted any more
        await Assert.ThrowsAsync<IOException>(() => warehouse.WriteAsync(begun with { Last = 1 }, 0, _ => Task.CompletedTask, CancellationToken.None));
        Assert.Equal(written, Records(await warehouse.ListAsync(CancellationToken.None)));
    }

    [Fact]
    public async Task Files_that_somebody_has_taken_away_are_written_again()
    {
        await using var running = await RunningBroker.StartAsync(Broker.Embedded);
        using var folder = new TemporaryFolder();
        await using var s3 = await S3Server.StartAsync(folder.Path);
        var database = await shops.CreateDatabaseAsync();
        await Rebuilds.CreateTopicsAsync(running);
        using var load = new TopicLoad(running.BootstrapServers, seed: 34);
        var written = await load.WriteAsync(200);
        // what was noted last of a partition of which there is nothing
        var gone = new WarehouseFile("orders", 0, new(2026, 11, 30, 6, 0, 0, TimeSpan.Zero), 3, 5);
        await NoteAsync(running, database, s3, gone, begin: 3);

        await using var shop = await StartAsync(running, database, s3);
        var warehouse = shop.Services.GetRequiredService<IWarehouse>();
        await Eventually.BecomesAsync((long)written, async () => Records(await warehouse.ListAsync(CancellationToken.None)));
        Assert.DoesNotContain(gone, (await warehouse.ListAsync(CancellationToken.None)).Select(file => file.File));
    }

    [Long]
    [Fact]
    public async Task What_somebody_has_begun_and_the_topic_has_lost_since_is_ended_with_what_is_there()
    {
        await using var running = await RunningBroker.StartAsync(Broker.Embedded);
        using var folder = new TemporaryFolder();
        await using var s3 = await S3Server.StartAsync(folder.Path);
        var database = await shops.CreateDatabaseAsync();
        await Rebuilds.CreateTopicsAsync(running);
        using var load = new TopicLoad(running.BootstrapServers, seed: 33);
        await load.WriteAsync(200);
        var begun = new WarehouseFile("orders", 0, new(2026, 11, 30, 6, 0, 0, TimeSpan.Zero), 0, 1_000_000);
        await NoteAsync(running, database, s3, begun, begin: 0);

        await using var shop = await StartAsync(running, database, s3);
        var warehouse = shop.Services.GetRequiredService<IWarehouse>();
        await Eventually.BecomesTrueAsync(async () => (await warehouse.ListAsync(CancellationToken.None)).Any(file => file.File == begun));
        using var reader = shop.Services.GetRequiredService<LogReaders>().Open();
        var end = reader.PartitionsOf([Topics.Orders]).Single(partition => partition.Partition == 0).End;
        Assert.Equal(end, (await FileRows.ReadAsync(warehouse, begun, TestContext.Current.CancellationToken)).Count);
        // and it is said
        var health = shop.Services.GetRequiredService<HealthCheckService>();
        await Eventually.BecomesTrueAsync(async () => (await health.CheckHealthAsync(TestContext.Current.CancellationToken)).Entries["warehouse"].Description?.Contains("orders", StringComparison.Ordinal) == true);
    }

    [Long]
    [Theory, MemberData(nameof(Brokers))]
    public async Task What_somebody_has_begun_is_what_others_write_also_where_the_topic_has_dropped_what_was_before(Broker kind)
    {
        Assert.SkipWhen(kind == Broker.Embedded, "EmbeddedKafka deletes no records on request");
        await using var running = await RunningBroker.StartAsync(kind);
        using var folder = new TemporaryFolder();
        await using var s3 = await S3Server.StartAsync(folder.Path);
        var database = await shops.CreateDatabaseAsync();
        await Rebuilds.CreateTopicsAsync(running);
        using var load = new TopicLoad(running.BootstrapServers, seed: 35);
        await load.WriteAsync(200);
        // nothing was left of what the file before was begun for
        var begun = new WarehouseFile("orders", 0, new(2026, 11, 30, 6, 0, 0, TimeSpan.Zero), 4, 6);
        await NoteAsync(running, database, s3, begun, begin: 2);
        using (var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = running.BootstrapServers }).Build())
            await admin.DeleteRecordsAsync([new TopicPartitionOffset("orders", 0, 4)]);

        await using var shop = await StartAsync(running, database, s3);
        var warehouse = shop.Services.GetRequiredService<IWarehouse>();
        await Eventually.BecomesTrueAsync(async () => (await OrdersAsync(warehouse)).Count > 1);
        var orders = await OrdersAsync(warehouse);
        Assert.Equal(begun, orders[0]);
        Assert.Equal(7, orders[1].First);
    }

    [Theory]
    [InlineData("localhost:9000")]
    [InlineData("storage")]
    public async Task An_address_that_is_none_is_said_at_the_start(string endpoint)
    {
        var database = await shops.CreateDatabaseAsync();
        var refusal = await Assert.ThrowsAsync<OptionsValidationException>(() => ShopFixture.StartAsync("127.0.0.1:1", database, ("Warehouse:S3:Bucket", "warehouse"), ("Warehouse:S3:Endpoint", endpoint)));
        Assert.Contains("Warehouse:S3:Endpoint", refusal.Message, StringComparison.Ordinal);
    }

    private static async Task<RunningActivity> StartAsync(RunningBroker broker, string database, S3Server s3, params (string Name, string Value)[] settings) =>
        await ShopFixture.StartAsync(broker.BootstrapServers, database, [("Warehouse:MaxAge", "00:00:00.2"), .. s3.Settings, .. settings]);

    /// <summary>Notes a file of the first partition of orders, as an instance does that is lost in the middle of sending it.</summary>
    private static async Task NoteAsync(RunningBroker broker, string database, S3Server s3, WarehouseFile file, long begin)
    {
        await using var shop = await StartAsync(broker, database, s3, ("Warehouse:MaxAge", "01:00:00"));
        await using var source = NpgsqlDataSource.Create(database);
        await using var note = source.CreateCommand($"INSERT INTO warehouse_begun (topic, partition, begin_offset, path) VALUES ('orders', 0, {begin}, '{file.Path}')");
        await note.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>The files of the first partition of orders.</summary>
    private static async Task<List<WarehouseFile>> OrdersAsync(IWarehouse warehouse) =>
        [.. (await warehouse.ListAsync(CancellationToken.None)).Select(file => file.File).Where(file => file is { Topic: "orders", Partition: 0 }).OrderBy(file => file.First)];

    /// <summary>What a rebuild from the archive reads where the topics have nothing any more.</summary>
    private static async Task<long> ArchivedAsync(IServiceProvider services, IReadOnlyList<(WarehouseFile File, long Size)> files)
    {
        var read = 0L;
        var trimmed = files.Select(file => (file.File.Topic, file.File.Partition)).Distinct()
            .Select(log => new LogPartition(Topics.All.Single(topic => topic.Name == log.Topic), log.Partition, long.MaxValue, long.MaxValue)).Where(log => log.Topic.Name is not ("logs" or "alarms")).ToList();
        await foreach (var batch in services.GetRequiredService<ArchivedEvents>().ReadAsync(new Positions(), trimmed, TestContext.Current.CancellationToken))
            read += batch.Count(record => record.Event is not null);
        return read;
    }

    private static long Records(IReadOnlyList<(WarehouseFile File, long Size)> files) =>
        files.Select(file => file.File).Where(file => file.Topic is not ("logs" or "alarms")).Sum(file => file.Last - file.First + 1);

    private static async Task CopyAsync(IWarehouse warehouse, string folder)
    {
        foreach (var (file, _) in await warehouse.ListAsync(TestContext.Current.CancellationToken))
        {
            Directory.CreateDirectory(Path.Combine(folder, file.Folder));
            await using var from = await warehouse.OpenAsync(file, TestContext.Current.CancellationToken);
            await using var to = File.Create(Path.Combine(folder, file.Path));
            await from.CopyToAsync(to, TestContext.Current.CancellationToken);
        }
    }
}
