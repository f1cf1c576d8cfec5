using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Shop.Contracts;

namespace Shop.Messaging.Kafka;

/// <summary>Asks the broker where partitions begin, end, or were at a time.</summary>
internal sealed class TopicOffsets(KafkaConnection kafka) : IDisposable
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(3);

    private readonly Lazy<IAdminClient> _admin = new(kafka.CreateAdmin);

    /// <summary>The partitions that topics have, which may be others than those that were declared; none of a topic that is not there.</summary>
    /// <exception cref="KafkaException">The broker cannot be asked.</exception>
    public async Task<List<TopicPartition>> PartitionsAsync(IEnumerable<Topic> topics) =>
        [.. (await TopicCheck.PartitionsAsync(_admin.Value, [.. topics.Select(topic => topic.Name)], RequestTimeout))
            .SelectMany(topic => Enumerable.Range(0, topic.Partitions).Select(partition => new TopicPartition(topic.Name, partition)))];

    /// <summary>An offset of each partition; of a time after its last record it is -1.</summary>
    /// <exception cref="KafkaException">The broker cannot be asked.</exception>
    public async Task<Dictionary<(string Topic, int Partition), long>> ReadAsync(IReadOnlyCollection<TopicPartition> partitions, OffsetSpec which)
    {
        if (partitions.Count == 0)
            return [];
        var result = await _admin.Value.ListOffsetsAsync(partitions.Select(partition => new TopicPartitionOffsetSpec { TopicPartition = partition, OffsetSpec = which }),
            new() { RequestTimeout = RequestTimeout });
        return result.ResultInfos.ToDictionary(info => (info.TopicPartitionOffsetError.Topic, info.TopicPartitionOffsetError.Partition.Value), info => info.TopicPartitionOffsetError.Offset.Value);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_admin.IsValueCreated)
            _admin.Value.Dispose();
    }
}
