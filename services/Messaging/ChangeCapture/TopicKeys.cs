using System.Text;
using Confluent.Kafka;
using Shop.Contracts;
using Shop.Messaging.Kafka;

namespace Shop.Messaging.ChangeCapture;

/// <summary>Which keys a compacted topic has: those whose newest record has a body.</summary>
internal static class TopicKeys
{
    private static readonly TimeSpan PollTime = TimeSpan.FromMilliseconds(100);

    /// <summary>Reads the topic from its first record to its present end.</summary>
    public static Task<HashSet<string>> ReadAsync(KafkaConnection kafka, KafkaLog log, string clientId, Topic topic, CancellationToken cancellationToken) => Task.Run(() =>
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        var config = kafka.Probe(clientId);
        config.Debug = null;
        config.FetchWaitMaxMs = 100;
        using var consumer = log.Attach(new ConsumerBuilder<byte[]?, byte[]?>(config)).Build();
        consumer.Assign(Enumerable.Range(0, topic.Partitions).Select(partition => new TopicPartitionOffset(topic.Name, partition, Offset.Beginning)));
        for (var ended = new HashSet<int>(); ended.Count < topic.Partitions;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (consumer.Consume(PollTime) is not { } read)
                continue;
            if (read.IsPartitionEOF)
                ended.Add(read.Partition.Value);
            else if (read.Message is { Key: { } bytes } message && Encoding.UTF8.GetString(bytes) is var key)
                _ = message.Value is null ? keys.Remove(key) : keys.Add(key);
        }
        consumer.Close();
        return keys;
    }, cancellationToken);
}
