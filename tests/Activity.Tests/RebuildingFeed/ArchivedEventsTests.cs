using Microsoft.Extensions.DependencyInjection;
using Shop.Activity.RebuildingFeed;
using Shop.Activity.StoringEvents;
using Shop.Activity.Tests.Hosting;
using Shop.Contracts;
using Shop.Messaging.Streams;
using Shop.Testing;

namespace Shop.Activity.Tests.RebuildingFeed;

/// <summary>What a rebuild reads from the archive, beside what it reads from the topics.</summary>
public sealed class ArchivedEventsTests(ShopFixture shops)
{
    [Long]
    [Fact]
    public async Task What_the_archive_has_is_what_the_topics_have_whatever_was_written()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        using var folder = new TemporaryFolder();
        await using var shop = await ShopFixture.StartAsync(broker.BootstrapServers, await shops.CreateDatabaseAsync(), ("Warehouse:Directory", folder.Path), ("Warehouse:MaxAge", "00:00:00.2"));
        await Rebuilds.CreateTopicsAsync(broker);
        using var topics = new TopicClient(broker.BootstrapServers);
        (string Name, string Value)[] attributes = [("ce_id", Guid.CreateVersion7().ToString()), ("ce_type", "shop.orders.never-heard-of.v9"), ("ce_source", "/tests")];
        await topics.ProduceAsync(Topics.Orders,
            TopicClient.Message("a", """{"a":1}"""u8.ToArray(), [.. attributes, ("ce_subject", "another"), ("ce_time", "2026-11-30T10:00:00.123456Z"), ("ce_causationid", Guid.CreateVersion7().ToString()),
                ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]),
            TopicClient.Message("a", "\"a text\""u8.ToArray(), [.. attributes, ("ce_subject", "a")]),
            TopicClient.Message("a", " \"a text\""u8.ToArray(), attributes),
            TopicClient.Message("a", "no JSON"u8.ToArray(), attributes),
            TopicClient.Message("a", [], attributes),
            TopicClient.Message("a", [0, 0xFF], attributes),
            TopicClient.Message("a", null, attributes),
            TopicClient.Message(null, "{}"u8.ToArray(), attributes),
            TopicClient.Message("a", "{}"u8.ToArray(), ("ce_id", Guid.Empty.ToString()), ("ce_type", "x"), ("ce_source", "/x")),
            TopicClient.Message("a", "no event"u8.ToArray()));

        using var warehouse = new WarehouseQuery(folder.Path);
        await Eventually.BecomesAsync(10, () => Task.FromResult(warehouse.Records()));
        using var reader = shop.Services.GetRequiredService<LogReaders>().Open();
        var partitions = reader.PartitionsOf([Topics.Orders]);
        var ends = partitions.ToDictionary(partition => (partition.Topic.Name, partition.Partition), partition => partition.End);
        var there = await AllAsync(FeedRecords.ReadUpToAsync(reader, new Positions(), ends, FeedRecords.FirstOf(reader), Eventually.DefaultDeadline, waitsForDamage: false, TestContext.Current.CancellationToken));
        var trimmed = partitions.Select(partition => partition with { First = partition.End }).ToList();
        var archived = await AllAsync(shop.Services.GetRequiredService<ArchivedEvents>().ReadAsync(new Positions(), trimmed, TestContext.Current.CancellationToken));
        Assert.Equal(10, there.Count);
        Assert.Equal(there, archived);
    }

    private static async Task<List<(StoredEvent? Event, string Topic, int Partition, long Offset)>> AllAsync(IAsyncEnumerable<IReadOnlyList<(StoredEvent? Event, string Topic, int Partition, long Offset)>> batches)
    {
        var all = new List<(StoredEvent? Event, string Topic, int Partition, long Offset)>();
        await foreach (var batch in batches)
            all.AddRange(batch);
        return [.. all.OrderBy(record => record.Partition).ThenBy(record => record.Offset)];
    }
}
