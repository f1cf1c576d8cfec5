using Confluent.Kafka;

namespace Shop.Messaging.Consuming;

/// <summary>A partition's log that ends before the offset row: its topic was deleted and made anew, or it lost its end.</summary>
/// <param name="End">The offset after its last record.</param>
/// <param name="First">The first record that is not too old, or <paramref name="End"/>.</param>
internal sealed record LogTruncation(long End, long First)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <inheritdoc cref="IPartitionFeed.FindTruncation"/>
    /// <remarks>Asks the broker, blocking: once in the life of a topic, not for each batch. Any thread may ask the consumer.</remarks>
    public static LogTruncation? Find(IConsumer<byte[]?, byte[]?> consumer, TopicPartition partition, long next, DateTimeOffset since)
    {
        // what the client remembers of the log's end may be old, so it is believed only where it is far enough
        if (consumer.GetWatermarkOffsets(partition).High.Value >= next)
            return null;
        var end = consumer.QueryWatermarkOffsets(partition, Timeout).High.Value;
        if (end >= next)
            return null;
        var first = consumer.OffsetsForTimes([new(partition, new Timestamp(since))], Timeout)[0].Offset;
        return new(end, first.IsSpecial ? end : first.Value);
    }
}
