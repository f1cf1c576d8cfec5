using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Shop.KafkaBroker.Tests;

public sealed class AdminTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private EmbeddedKafka _kafka = null!;
    private IAdminClient _admin = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _kafka = await EmbeddedKafka.StartAsync(new() { TopicDefaults = new Dictionary<string, string> { ["segment.bytes"] = "100000" } });
        _admin = Clients.Admin(_kafka.BootstrapServers);
    }

    public ValueTask DisposeAsync()
    {
        _admin.Dispose();
        return _kafka.DisposeAsync();
    }

    [Fact]
    public async Task A_topic_is_made_described_extended_and_deleted()
    {
        await Clients.CreateTopicAsync(_kafka.BootstrapServers, "events", 2, new() { ["retention.ms"] = "1000000" });
        await _admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = "events", IncreaseTo = 5 }]);
        var topic = _admin.GetMetadata("events", Patience).Topics.Single();
        await _admin.DeleteTopicsAsync(["events"]);

        Assert.Equal([0, 1, 2, 3, 4], topic.Partitions.Select(partition => partition.PartitionId));
        Assert.Empty(_admin.GetMetadata(Patience).Topics);
    }

    [Theory]
    [InlineData("bad/name", 1, 1, null, 17)]
    [InlineData("events", 1, 3, null, 38)]
    [InlineData("events", 0, 1, null, 37)]
    [InlineData("events", 50_000, 1, null, 37)]
    [InlineData("events", 1, 1, "no.such.setting", 40)]
    [InlineData("events", 1, 1, "retention.ms", 40)]
    public async Task A_topic_that_cannot_be_is_refused(string name, int partitions, short replicas, string? setting, int error)
    {
        var refused = await Assert.ThrowsAsync<CreateTopicsException>(() => _admin.CreateTopicsAsync([new TopicSpecification
        {
            Name = name,
            NumPartitions = partitions,
            ReplicationFactor = replicas,
            Configs = setting is null ? null : new() { [setting] = "not a number" },
        }]));

        Assert.Equal(error, (int)refused.Results[0].Error.Code);
        Assert.Empty(_admin.GetMetadata(Patience).Topics);
    }

    [Fact]
    public async Task Settings_are_changed_and_shown_with_where_they_come_from()
    {
        await Clients.CreateTopicAsync(_kafka.BootstrapServers, "events");
        var resource = new ConfigResource { Type = ResourceType.Topic, Name = "events" };
        await _admin.AlterConfigsAsync(new() { [resource] = [new ConfigEntry { Name = "cleanup.policy", Value = "compact" }] });
        var entries = (await _admin.DescribeConfigsAsync([resource]))[0].Entries;

        Assert.Equal(("compact", false, ConfigSource.DynamicTopicConfig), About("cleanup.policy"));
        Assert.Equal(("100000", false, ConfigSource.StaticBrokerConfig), About("segment.bytes"));
        Assert.Equal(("604800000", true, ConfigSource.DefaultConfig), About("retention.ms"));

        (string, bool, ConfigSource) About(string name) => (entries[name].Value, entries[name].IsDefault, entries[name].Source);
    }

    [Fact]
    public async Task A_brokers_settings_are_shown()
    {
        var entries = (await _admin.DescribeConfigsAsync([new ConfigResource { Type = ResourceType.Broker, Name = "1" }]))[0].Entries;

        Assert.Equal(("true", true), (entries["auto.create.topics.enable"].Value, entries["auto.create.topics.enable"].IsReadOnly));
    }

    [Fact]
    public async Task Records_are_deleted_up_to_an_offset()
    {
        using var producer = Clients.Producer(_kafka.BootstrapServers);
        for (var i = 0; i < 10; i++)
            await producer.ProduceAsync("events", new() { Value = $"{i}" }, Cancelled);
        var deleted = await _admin.DeleteRecordsAsync([new TopicPartitionOffset("events", 0, 4)]);

        Assert.Equal(4, deleted[0].Offset.Value);
        Assert.Equal(["4", "5", "6", "7", "8", "9"], Clients.ReadAll(_kafka.BootstrapServers, "events", 6).Select(record => record.Message.Value));
    }

    [Fact]
    public async Task Groups_are_listed_and_deleted_once_they_are_empty()
    {
        await Clients.CreateTopicAsync(_kafka.BootstrapServers, "events");
        using (var consumer = Clients.Consumer(_kafka.BootstrapServers, "readers"))
        {
            consumer.Subscribe("events");
            while (consumer.Assignment.Count == 0)
                consumer.Consume(TimeSpan.FromMilliseconds(20));
            consumer.Commit([new TopicPartitionOffset("events", 0, 3)]);
            var refused = await Assert.ThrowsAsync<DeleteGroupsException>(() => _admin.DeleteGroupsAsync(["readers"]));
            var group = _admin.ListGroup("readers", Patience);

            Assert.Equal(68, (int)refused.Results[0].Error.Code);
            Assert.Equal(("Stable", "consumer", 1), (group.State, group.ProtocolType, group.Members.Count));
            consumer.Close();
        }
        using (var again = Clients.Consumer(_kafka.BootstrapServers, "readers"))
            Assert.Equal(3, again.Committed([new("events", 0)], Patience)[0].Offset.Value);
        await _admin.DeleteGroupsAsync(["readers"]);

        Assert.DoesNotContain(_admin.ListGroups(Patience), group => group.Group == "readers");
    }

    [Theory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Snappy)]
    [InlineData(CompressionType.Lz4)]
    [InlineData(CompressionType.Zstd)]
    public void An_offset_is_found_by_time_to_the_record(CompressionType codec)
    {
        using (var producer = Clients.Producer(_kafka.BootstrapServers, config =>
        {
            config.CompressionType = codec;
            config.LingerMs = 50;
        }))
        {
            for (var i = 0; i < 3000; i++)
                producer.Produce("events", new() { Key = $"{i}", Value = new string('x', 200), Timestamp = new(1_700_000_000_000 + i * 1000, TimestampType.CreateTime) });
            producer.Flush(Cancelled);
        }
        using var consumer = Clients.Consumer(_kafka.BootstrapServers, "times");
        foreach (var (time, offset) in new[] { (0L, 0), (1_700_000_000_000, 0), (1_700_001_234_000, 1234), (1_700_001_234_001, 1235), (1_700_002_999_000, 2999), (1_700_002_999_001, -1) })
        {
            var found = consumer.OffsetsForTimes([new("events", 0, new Timestamp(time, TimestampType.CreateTime))], Patience)[0];
            Assert.Equal(offset, found.Offset.Value);
        }
    }
}
