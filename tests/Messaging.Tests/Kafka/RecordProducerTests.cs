using System.Collections.Concurrent;
using System.Text;
using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using Shop.Contracts;
using Shop.Messaging.Events;
using Shop.Messaging.Kafka;
using Shop.Testing;

namespace Shop.Messaging.Tests.Kafka;

/// <summary>The relay's own way into librdkafka: what it takes arrives as it was, what it does not take is told at once.</summary>
public sealed class RecordProducerTests(BrokerFixture brokers)
{
    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task Records_arrive_as_they_were_and_are_reported_under_their_numbers(Broker broker)
    {
        const int count = 5_000, keys = 7;
        var (connection, topic) = await CreateTopicAsync(broker);
        using var producer = new RecordProducer(connection.Producer("tests", gapless: true, 1_000_000), NullLogger.Instance);
        var reported = new ConcurrentQueue<Delivery>();
        producer.Start(deliveries =>
        {
            foreach (var delivery in deliveries)
                reported.Enqueue(delivery);
        });
        for (var number = 0; number < count; number++)
            Assert.Null(producer.Produce(topic, Record($"key-{number % keys}", $"value {number} ü"), long.MaxValue - number));
        await Eventually.BecomesAsync(count, () => Task.FromResult(reported.Count));
        Assert.All(reported, delivery => Assert.Equal((topic, null), (delivery.Topic, delivery.Error)));
        Assert.Equal(Enumerable.Range(0, count).Select(number => long.MaxValue - number).Order(), reported.Select(delivery => delivery.Id).Order());

        var next = Enumerable.Range(0, keys).ToArray();
        foreach (var record in Read(connection, topic, count))
        {
            var key = int.Parse(record.Message.Key.AsSpan("key-".Length));
            Assert.Equal($"value {next[key]} ü", Encoding.UTF8.GetString(record.Message.Value));
            next[key] += keys;
            Assert.Equal([("first", "ä"), ("second", "2")], record.Message.Headers.Select(header => (header.Key, Encoding.UTF8.GetString(header.GetValueBytes()))));
            Assert.Equal(1_700_000_000_123, record.Message.Timestamp.UnixTimestampMs);
        }
    }

    [Fact]
    public async Task A_record_that_is_not_taken_is_told_at_once_and_never_reported()
    {
        var (connection, topic) = await CreateTopicAsync(Broker.Embedded);
        var settings = connection.Producer("tests", gapless: false, 1_000_000);
        settings.QueueBufferingMaxMessages = 3;
        // so that nothing leaves while the queue is filled
        settings.LingerMs = 200;
        settings.BatchSize = null;
        settings.MessageMaxBytes = 10_000;
        using var producer = new RecordProducer(settings, NullLogger.Instance);
        var reported = new ConcurrentQueue<Delivery>();
        producer.Start(deliveries =>
        {
            foreach (var delivery in deliveries)
                reported.Enqueue(delivery);
        });
        Assert.Equal(ErrorCode.MsgSizeTooLarge, producer.Produce(topic, Record("key", new string('x', 20_000)), 0)?.Code);
        for (var number = 1; number <= 3; number++)
            Assert.Null(producer.Produce(topic, Record("key", "value"), number));
        Assert.Equal(ErrorCode.Local_QueueFull, producer.Produce(topic, Record("key", "value"), 4)?.Code);
        await Eventually.BecomesAsync(3, () => Task.FromResult(reported.Count));
        Assert.Equal([1, 2, 3], reported.Select(delivery => delivery.Id));
    }

    [Fact]
    public void A_setting_that_librdkafka_does_not_know_is_named()
    {
        var settings = KafkaConnection.Parse("bootstrap.servers=127.0.0.1:1;no.such.setting=1").Producer("tests", gapless: true, 1_000_000);
        var refused = Assert.Throws<InvalidOperationException>(() => new RecordProducer(settings, NullLogger.Instance));
        Assert.Contains("no.such.setting", refused.Message, StringComparison.Ordinal);
    }

    private static Message<byte[], byte[]> Record(string key, string value) => new()
    {
        Key = Encoding.UTF8.GetBytes(key),
        Value = Encoding.UTF8.GetBytes(value),
        Headers = new Headers { { "first", "ä"u8.ToArray() }, { "second", "2"u8.ToArray() } },
        Timestamp = new Timestamp(1_700_000_000_123, TimestampType.CreateTime),
    };

    private static IEnumerable<ConsumeResult<string, byte[]>> Read(KafkaConnection connection, string topic, int count)
    {
        var settings = connection.Consumer("tests", $"read-{topic}", null);
        using var consumer = new ConsumerBuilder<string, byte[]>(settings).Build();
        consumer.Assign(Enumerable.Range(0, 3).Select(partition => new TopicPartitionOffset(topic, partition, Offset.Beginning)));
        for (var read = 0; read < count; read++)
            yield return consumer.Consume(TimeSpan.FromSeconds(10)) ?? throw new InvalidOperationException($"Only {read} records arrived");
    }

    /// <summary>A topic of three partitions.</summary>
    private async Task<(KafkaConnection Connection, string Topic)> CreateTopicAsync(Broker broker)
    {
        var topic = new Topic($"records-{Guid.CreateVersion7():N}", 3);
        var connection = KafkaConnection.Parse((await brokers.GetAsync(broker)).BootstrapServers);
        await new TopicCreation(connection, new EventTypes([], []), NullLogger<TopicCreation>.Instance).EnsureAsync([topic], TestContext.Current.CancellationToken);
        return (connection, topic.Name);
    }
}
