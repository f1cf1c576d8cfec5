using Confluent.Kafka;

namespace Shop.Messaging.Consuming;

/// <summary>Where a lane's records come from, as the lane sees it: what it may ask of the consumer, from any thread.</summary>
internal interface IPartitionFeed
{
    /// <summary>Reads a partition again from <paramref name="offset"/>; what was read under <paramref name="assignment"/> is dropped.</summary>
    void Seek(PartitionAssignment assignment, long offset);

    /// <summary>Tells Kafka how far a partition is handled: for people and tools, the offset row is what counts.</summary>
    void StoreOffset(TopicPartition partition, long next);

    /// <summary>Whether a partition's log ends before its offset row.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="next">Its offset row.</param>
    /// <param name="since">Records that are older (by Kafka's timestamps) need not be read again.</param>
    /// <returns>Null where the log is the one that was read before: it reaches as far.</returns>
    /// <exception cref="KafkaException">The broker does not answer.</exception>
    LogTruncation? FindTruncation(TopicPartition partition, long next, DateTimeOffset since);
}
