using Confluent.Kafka;

namespace Shop.Messaging.Consuming;

/// <summary>Where a lane's records come from, as the lane sees it: what it may ask of the consumer, from any thread.</summary>
internal interface IPartitionFeed
{
    /// <summary>Reads a partition again from <paramref name="start"/>; what was read under <paramref name="assignment"/> is dropped.</summary>
    void Seek(PartitionAssignment assignment, long start);

    /// <summary>Tells Kafka how far a partition is handled: for people and tools, the offset row is what counts.</summary>
    void StoreOffset(TopicPartition partition, long next);

    /// <summary>The offset of a log's first record, and the one after its last.</summary>
    /// <exception cref="KafkaException">The broker does not answer.</exception>
    /// <remarks>Asks the broker, blocking.</remarks>
    (long First, long End) Bounds(TopicPartition partition);

    /// <summary>The offset of a log's first record that is not older (by Kafka's timestamps), or its end.</summary>
    /// <exception cref="KafkaException">The broker does not answer.</exception>
    /// <remarks>Asks the broker, blocking.</remarks>
    long FirstSince(TopicPartition partition, DateTimeOffset since);
}
