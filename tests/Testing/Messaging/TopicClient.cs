using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Shop.Contracts;

namespace Shop.Testing;

/// <summary>A record on a topic.</summary>
/// <param name="Id">Its event's id; null where the record has none.</param>
/// <param name="Key">Its key.</param>
/// <param name="Event">The event, deserialised; null where its type is not one of the topic's, and where the record has no body.</param>
/// <param name="Partition">Where it is.</param>
/// <param name="Offset">Where it is.</param>
public sealed record TopicRecord(Guid? Id, string Key, object? Event, int Partition, long Offset);

/// <summary>Publishes events as other services do, and reads what services published, without joining a consumer group.</summary>
/// <param name="kafka">The broker's bootstrap list.</param>
public sealed class TopicClient(string kafka) : IDisposable
{
    private static readonly TimeSpan Deadline = Eventually.DefaultDeadline;

    private readonly EnsuredTopics _topics = new(kafka);

    private readonly IProducer<byte[]?, byte[]?> _producer = new ProducerBuilder<byte[]?, byte[]?>(new ProducerConfig
    {
        BootstrapServers = kafka,
        EnableIdempotence = true,
        LingerMs = 1,
        Partitioner = Confluent.Kafka.Partitioner.Murmur2Random,
        QueueBufferingMaxMessages = 1_000_000,
        TopicMetadataRefreshFastIntervalMs = 20,
    }).Build();

    /// <summary>Publishes events in their order, and returns when the broker has them all.</summary>
    /// <exception cref="ArgumentException">An event is not one of the topic's.</exception>
    public Task PublishAsync(Topic topic, params IEnumerable<object> events) =>
        PublishAsync(topic, events.Select(@event => (Guid.CreateVersion7(), @event)));

    /// <summary>Publishes events under ids of the test's choice: the same id twice is the same event twice.</summary>
    /// <exception cref="ArgumentException">An event is not one of the topic's.</exception>
    public Task PublishAsync(Topic topic, IEnumerable<(Guid Id, object Event)> events) => ProduceAsync(topic, events.Select(entry =>
    {
        if (!topic.TryGetEvent(entry.Event.GetType(), out var type))
            throw new ArgumentException($"{entry.Event.GetType().Name} is not an event of {topic}", nameof(events));
        return Message(type.KeyOf(entry.Event), JsonSerializer.SerializeToUtf8Bytes(entry.Event, type.Json),
            ("ce_id", entry.Id.ToString()), ("ce_type", type.Name), ("ce_source", "/tests"), ("ce_time", "2026-11-22T12:00:00Z"));
    }));

    /// <summary>Produces records as they are, for those that no service would write, and returns when the broker has them all.</summary>
    public async Task ProduceAsync(Topic topic, params IEnumerable<Message<byte[]?, byte[]?>> messages)
    {
        await _topics.EnsureAsync(topic);
        Error? failure = null;
        var waiting = 1;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (var message in messages)
        {
            Interlocked.Increment(ref waiting);
            _producer.Produce(topic.Name, message, report =>
            {
                if (report.Error.IsError)
                    failure = report.Error;
                if (Interlocked.Decrement(ref waiting) == 0)
                    done.SetResult();
            });
        }
        if (Interlocked.Decrement(ref waiting) > 0)
            await done.Task;
        if (failure is not null)
            throw new KafkaException(failure);
    }

    /// <summary>A record with the given text headers.</summary>
    public static Message<byte[]?, byte[]?> Message(string? key, byte[]? body, params ReadOnlySpan<(string Name, string Value)> headers)
    {
        var message = new Message<byte[]?, byte[]?> { Key = key is null ? null : Encoding.UTF8.GetBytes(key), Value = body, Headers = [] };
        foreach (var (name, value) in headers)
            message.Headers.Add(name, Encoding.UTF8.GetBytes(value));
        return message;
    }

    /// <summary>Everything that is on a topic now, in order within each partition.</summary>
    public Task<IReadOnlyList<TopicRecord>> ReadAsync(Topic topic) => Task.Run(() => ReadAllAsync(topic, until: null));

    /// <summary>Reads a topic from its beginning until <paramref name="until"/> holds for what was read.</summary>
    /// <returns>What was read, in order within each partition.</returns>
    /// <exception cref="TimeoutException">It did not hold within 5 min.</exception>
    public Task<IReadOnlyList<TopicRecord>> ReadUntilAsync(Topic topic, Func<IReadOnlyList<TopicRecord>, bool> until) => Task.Run(() => ReadAllAsync(topic, until));

    /// <summary>The offset that a consumer group has committed for each partition of a topic, 0 where there is none.</summary>
    public Task<long[]> CommittedAsync(string group, Topic topic) => Task.Run(() =>
    {
        using var consumer = Consumer(group);
        return consumer.Committed(Partitions(topic), Deadline).Select(committed => Math.Max(0, committed.Offset.Value)).ToArray();
    });

    /// <inheritdoc/>
    public void Dispose() => _producer.Dispose();

    private async Task<IReadOnlyList<TopicRecord>> ReadAllAsync(Topic topic, Func<IReadOnlyList<TopicRecord>, bool>? until)
    {
        using var consumer = Consumer($"reader-{Guid.NewGuid():N}");
        var ends = new Dictionary<TopicPartition, long>();
        foreach (var partition in Partitions(topic))
            ends[partition] = await EndOfAsync(consumer, partition);
        consumer.Assign(ends.Keys.Select(partition => new TopicPartitionOffset(partition, Offset.Beginning)));
        var records = new List<TopicRecord>();
        var deadline = TimeProvider.System.GetTimestamp() + (long)(Deadline.TotalSeconds * TimeProvider.System.TimestampFrequency);
        while (until is not null ? !until(records) : ends.Values.Any(end => end > 0))
        {
            if (TimeProvider.System.GetTimestamp() > deadline)
                throw new TimeoutException($"What was waited for did not come on {topic} within {Deadline}; {records.Count} records did");
            if (consumer.Consume(TimeSpan.FromMilliseconds(50)) is not { } result)
                continue;
            records.Add(RecordOf(topic, result));
            if (until is null && result.Offset.Value + 1 >= ends[result.TopicPartition])
                ends[result.TopicPartition] = 0;
        }
        return records;
    }

    /// <summary>The end of a partition, once it is known and has a leader: one that was made this moment has none yet.</summary>
    private static async Task<long> EndOfAsync(IConsumer<byte[]?, byte[]?> consumer, TopicPartition partition)
    {
        var end = 0L;
        await Eventually.BecomesTrueAsync(() =>
        {
            try
            {
                end = consumer.QueryWatermarkOffsets(partition, Deadline).High.Value;
                return Task.FromResult(true);
            }
            catch (KafkaException e) when (KafkaTopics.IsNotYet(e.Error))
            {
                return Task.FromResult(false);
            }
        });
        return end;
    }

    private static TopicRecord RecordOf(Topic topic, ConsumeResult<byte[]?, byte[]?> result)
    {
        var headers = result.Message.Headers;
        var type = headers.TryGetLastBytes("ce_type", out var name) && topic.TryGetEvent(Encoding.UTF8.GetString(name), out var found) ? found : null;
        return new(headers.TryGetLastBytes("ce_id", out var id) && Guid.TryParse(Encoding.UTF8.GetString(id), out var guid) ? guid : null,
            Encoding.UTF8.GetString(result.Message.Key ?? []), type is null || result.Message.Value is null ? null : JsonSerializer.Deserialize(result.Message.Value, type.Json),
            result.Partition.Value, result.Offset.Value);
    }

    private IConsumer<byte[]?, byte[]?> Consumer(string group) => new ConsumerBuilder<byte[]?, byte[]?>(new ConsumerConfig
    {
        BootstrapServers = kafka,
        GroupId = group,
        EnableAutoCommit = false,
        FetchWaitMaxMs = 20,
    }).Build();

    private static IEnumerable<TopicPartition> Partitions(Topic topic) =>
        Enumerable.Range(0, topic.Partitions).Select(partition => new TopicPartition(topic.Name, partition));
}
