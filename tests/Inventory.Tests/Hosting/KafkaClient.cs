using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Shop.Contracts;
using Shop.Messaging.Kafka;
using Shop.Testing;

namespace Shop.Inventory.Tests.Hosting;

/// <summary>An event that was read from Kafka; the body is empty where it has none, as of a product that is gone.</summary>
public sealed record ReadEvent(string Type, Guid Id, Guid? CausationId, string Key, string Body);

/// <summary>Another service, as Kafka sees one: publishes and reads events with nothing of Messaging.</summary>
public sealed class KafkaClient : IDisposable
{
    private static readonly TimeSpan Deadline = Eventually.DefaultDeadline;

    /// <summary>What Inventory publishes and tests read.</summary>
    private static readonly Topic[] ReadTopics = [Topics.Reservations, Topics.Stock, Topics.Alarms, Topics.Catalog];

    private readonly IProducer<string, byte[]> _producer;
    private readonly IConsumer<string, byte[]> _consumer;
    private readonly Lazy<Task> _topicsMade;
    private readonly Dictionary<Topic, List<ReadEvent>> _read = [];
    private readonly ConcurrentDictionary<string, Partition> _partitions = new();

    public KafkaClient(string bootstrapServers)
    {
        // loads librdkafka the way the services do
        _ = KafkaConnection.Parse(bootstrapServers);
        _producer = new ProducerBuilder<string, byte[]>(new ProducerConfig
        {
            BootstrapServers = bootstrapServers,
            Partitioner = Confluent.Kafka.Partitioner.Murmur2Random,
        }).SetLogHandler((_, _) => { }).Build();
        _consumer = new ConsumerBuilder<string, byte[]>(new ConsumerConfig
        {
            BootstrapServers = bootstrapServers,
            GroupId = $"test-{Guid.NewGuid()}",
            EnableAutoCommit = false,
        }).SetLogHandler((_, _) => { }).Build();
        _topicsMade = new(() => MakeTopicsAsync(bootstrapServers));
        foreach (var topic in ReadTopics)
            _read[topic] = [];
    }

    /// <summary>Publishes and returns the event's id.</summary>
    public Task<Guid> PublishAsync(object @event, Guid? id = null) => PublishAsync(@event, Partition.Any, id);

    /// <summary>Publishes into the partition of what was published before with the key <paramref name="ahead"/>.</summary>
    public Task<Guid> PublishBehindAsync(Guid ahead, object @event) => PublishAsync(@event, _partitions[ahead.ToString()], null);

    /// <summary>The next event of the topic with that key that was not returned yet.</summary>
    public Task<ReadEvent> NextAsync(Topic topic, Guid key) => NextAsync(topic, key.ToString());

    /// <inheritdoc cref="NextAsync(Topic, Guid)"/>
    public Task<ReadEvent> NextAsync(Topic topic, string key) => Task.Run(async () =>
    {
        await _topicsMade.Value;
        var deadline = DateTime.UtcNow + Deadline;
        while (true)
        {
            if (_read[topic].Find(read => read.Key == key) is { } found)
            {
                _read[topic].Remove(found);
                return found;
            }
            if (DateTime.UtcNow > deadline)
                throw new TimeoutException($"No further event of {key} on {topic} within {Deadline}");
            Read(TimeSpan.FromMilliseconds(100));
        }
    });

    /// <summary>Returns as soon as that is told of a product, past what is told before, or again.</summary>
    public async Task IsToldAsync(string sku, Predicate<string> what)
    {
        while (!what((await NextAsync(Topics.Catalog, sku)).Body))
        {
        }
    }

    /// <summary>The events of the topic with that key, up to its present end, that were not returned yet.</summary>
    public Task<List<ReadEvent>> ReadToEndAsync(Topic topic, Guid key) => ReadToEndAsync(topic, read => read.Key == key.ToString());

    /// <summary>The events of the topic of which that is so, up to its present end, that were not returned yet.</summary>
    public Task<List<ReadEvent>> ReadToEndAsync(Topic topic, Predicate<ReadEvent> which) => Task.Run(async () =>
    {
        await _topicsMade.Value;
        var ends = Enumerable.Range(0, topic.Partitions).Select(partition => new TopicPartition(topic.Name, partition))
            .ToDictionary(partition => partition, partition => _consumer.QueryWatermarkOffsets(partition, Deadline).High.Value);
        var deadline = DateTime.UtcNow + Deadline;
        while (ends.Any(end => end.Value > 0 && (_consumer.Position(end.Key) is var position && (position == Offset.Unset || position < end.Value))))
        {
            if (DateTime.UtcNow > deadline)
                throw new TimeoutException($"The end of {topic} was not reached within {Deadline}");
            Read(TimeSpan.FromMilliseconds(100));
        }
        return _read[topic].FindAll(which);
    });

    public void Dispose()
    {
        _consumer.Close();
        _consumer.Dispose();
        _producer.Dispose();
    }

    /// <summary>
    /// Makes the topics as the services do, where none has yet, before they are written and read: a broker would make others for whoever
    /// writes to those that are not there, and whoever is to read them is told after half a minute that they are unknown.
    /// </summary>
    private async Task MakeTopicsAsync(string bootstrapServers)
    {
        var topics = new EnsuredTopics(bootstrapServers);
        await Task.WhenAll(ReadTopics.Append(Topics.Orders).Select(topics.EnsureAsync));
        _consumer.Assign(ReadTopics.SelectMany(topic => Enumerable.Range(0, topic.Partitions)
            .Select(partition => new TopicPartitionOffset(topic.Name, partition, Offset.Beginning))));
    }

    private async Task<Guid> PublishAsync(object @event, Partition partition, Guid? id)
    {
        await _topicsMade.Value;
        var topic = Topics.All.Single(topic => topic.TryGetEvent(@event.GetType(), out _));
        topic.TryGetEvent(@event.GetType(), out var type);
        var eventId = id ?? Guid.CreateVersion7();
        var message = new Message<string, byte[]>
        {
            Key = type!.KeyOf(@event),
            Value = JsonSerializer.SerializeToUtf8Bytes(@event, type.Json),
            Headers = new() { { "ce_id", Utf8(eventId.ToString()) }, { "ce_type", Utf8(type.Name) }, { "ce_source", Utf8("/test") } },
        };
        var written = await _producer.ProduceAsync(new TopicPartition(topic.Name, partition), message, TestContext.Current.CancellationToken);
        _partitions[message.Key] = written.Partition;
        return eventId;
    }

    private void Read(TimeSpan timeout)
    {
        if (_consumer.Consume(timeout) is { } result)
            _read[Array.Find(ReadTopics, topic => topic.Name == result.Topic)!].Add(EventOf(result.Message));
    }

    private static ReadEvent EventOf(Message<string, byte[]> message) => new(
        Header(message, "ce_type")!, Guid.Parse(Header(message, "ce_id")!), Header(message, "ce_causationid") is { } cause ? Guid.Parse(cause) : null,
        message.Key, Encoding.UTF8.GetString(message.Value ?? []));

    private static string? Header(Message<string, byte[]> message, string name) =>
        message.Headers.TryGetLastBytes(name, out var value) ? Encoding.UTF8.GetString(value) : null;

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
