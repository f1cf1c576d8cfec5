using Confluent.Kafka;

namespace Shop.Messaging.Consuming;

/// <summary>A partition's log that ends before the offset row: its topic was deleted and made anew, or it lost its end.</summary>
/// <param name="End">The offset after its last record.</param>
/// <param name="First">The first record that is not too old, or <paramref name="End"/>.</param>
internal sealed record NewLog(long End, long First)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>Asks the broker, blocking: once in the life of a topic, not for each batch.</summary>
    /// <param name="consumer">Any thread may ask it.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="next">The offset row.</param>
    /// <param name="since">Older records (by Kafka's timestamps) are too old.</param>
    /// <returns>Null where the log is the one that was read before: it reaches as far.</returns>
    /// <exception cref="KafkaException">The broker does not answer.</exception>
    public static NewLog? Find(IConsumer<byte[]?, byte[]?> consumer, TopicPartition partition, long next, DateTimeOffset since)
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
