using Confluent.Kafka;

namespace Shop.Messaging.Consuming;

/// <summary>Where a lane's records come from, as the lane sees it: what it may ask of the consumer, from any thread.</summary>
internal interface IPartitionFeed
{
    /// <summary>Reads a partition again from its offset row, which is at <paramref name="offset"/>; what was read under <paramref name="assignment"/> is dropped.</summary>
    void Seek(PartitionAssignment assignment, long offset);

    /// <summary>Tells Kafka how far a partition is handled: for people and tools, the offset row is what counts.</summary>
    void StoreOffset(TopicPartition partition, long next);

    /// <inheritdoc cref="LogDivergence.Find"/>
    LogDivergence? FindDivergence(TopicPartition partition, long next, byte[]? lastRecord, DateTimeOffset since);
}
