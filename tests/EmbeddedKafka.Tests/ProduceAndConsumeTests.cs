using Confluent.Kafka;

namespace Shop.KafkaBroker.Tests;

public sealed class ProduceAndConsumeTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Snappy)]
    [InlineData(CompressionType.Lz4)]
    [InlineData(CompressionType.Zstd)]
    public async Task Records_come_back_as_they_were_produced(CompressionType codec)
    {
        await using var kafka = await EmbeddedKafka.StartAsync(cancellationToken: Cancelled);
        using var producer = Clients.Producer(kafka.BootstrapServers, config => config.CompressionType = codec);
        for (var i = 0; i < 500; i++)
        {
            producer.Produce("events", new()
            {
                Key = $"key-{i}",
                Value = new string('x', i),
                Headers = [new Header("number", BitConverter.GetBytes(i))],
                Timestamp = new(1_700_000_000_000 + i, TimestampType.CreateTime),
            });
        }
        producer.Flush(Cancelled);

        var records = Clients.ReadAll(kafka.BootstrapServers, "events", 500);

        Assert.Equal(Enumerable.Range(0, 500).Select(i => ($"key-{i}", i, (long)i, 1_700_000_000_000 + i)),
            records.Select(record => (record.Message.Key, record.Message.Value.Length, record.Offset.Value, record.Message.Timestamp.UnixTimestampMs)));
        Assert.All(records, record => Assert.Equal(record.Offset.Value, BitConverter.ToInt32(record.Message.Headers.GetLastBytes("number"))));
    }

    [Fact]
    public async Task A_waiting_consumer_has_a_record_at_once()
    {
        await using var kafka = await EmbeddedKafka.StartAsync(cancellationToken: Cancelled);
        await Clients.CreateTopicAsync(kafka.BootstrapServers, "events");
        using var producer = Clients.Producer(kafka.BootstrapServers, config => config.LingerMs = 0);
        // a fetch that is not answered when there is a record is answered after 30 s, when the test has lost its patience
        using var consumer = Clients.Consumer(kafka.BootstrapServers, "group", config => config.FetchWaitMaxMs = 30_000);
        consumer.Assign(new TopicPartitionOffset("events", 0, Offset.Beginning));
        var delays = new List<TimeSpan>();
        for (var i = 0; i < 200; i++)
        {
            var sent = TimeProvider.System.GetTimestamp();
            producer.Produce("events", new() { Value = "now" });
            Assert.NotNull(consumer.Consume(TimeSpan.FromSeconds(20)));
            delays.Add(TimeProvider.System.GetElapsedTime(sent));
        }

        delays.Sort();
        TestContext.Current.SendDiagnosticMessage($"Produce to consume: p50 {delays[100].TotalMilliseconds:F2} ms, p99 {delays[198].TotalMilliseconds:F2} ms");
    }

    [Fact]
    public async Task With_every_append_forced_to_the_disk_everything_works_as_without()
    {
        await using var kafka = await EmbeddedKafka.StartAsync(new() { FlushEveryAppend = true }, Cancelled);
        using var producer = Clients.Producer(kafka.BootstrapServers);
        for (var i = 0; i < 100; i++)
            await producer.ProduceAsync("events", new() { Value = $"{i}" }, Cancelled);
        using var consumer = Clients.Consumer(kafka.BootstrapServers, "group");
        consumer.Commit([new TopicPartitionOffset("events", 0, 7)]);

        Assert.Equal(100, Clients.ReadAll(kafka.BootstrapServers, "events", 100).Count);
        Assert.Equal(7, consumer.Committed([new("events", 0)], TimeSpan.FromMinutes(1))[0].Offset.Value);
    }

    [Fact]
    public async Task Several_brokers_run_in_one_process()
    {
        await using var first = await EmbeddedKafka.StartAsync(cancellationToken: Cancelled);
        await using var second = await EmbeddedKafka.StartAsync(cancellationToken: Cancelled);
        await Clients.CreateTopicAsync(first.BootstrapServers, "only-in-first");
        using var admin = Clients.Admin(second.BootstrapServers);

        Assert.NotEqual(first.BootstrapServers, second.BootstrapServers);
        Assert.Empty(admin.GetMetadata(TimeSpan.FromMinutes(1)).Topics);
    }
}
