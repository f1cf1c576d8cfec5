using Confluent.Kafka;

namespace Shop.Messaging.Consuming;

/// <summary>
/// One partition as long as this consumer holds it, from an assignment or a seek to the next. Records remember under which
/// one they were read, so that what was queued before a rebalance or seek is dropped.
/// </summary>
internal sealed class PartitionAssignment(TopicPartition partition)
{
    private volatile bool _ended;

    public TopicPartition Partition { get; } = partition;

    /// <summary>The consumer lost the partition, or reads it again from elsewhere.</summary>
    public bool Ended => _ended;

    /// <summary>The offset row's value as this assignment knows it; null until it was read.</summary>
    public long? NextOffset { get; set; }

    /// <summary>The digest of the record before <see cref="NextOffset"/>; null where none was handled yet.</summary>
    public byte[]? LastRecord { get; set; }

    /// <summary>The leader epoch of the record that was read last; null where the broker does not tell, -1 where none was read yet.</summary>
    public int? LeaderEpoch { get; set; } = -1;

    public void End() => _ended = true;
}
