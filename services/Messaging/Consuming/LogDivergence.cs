using Confluent.Kafka;

namespace Shop.Messaging.Consuming;

/// <summary>A partition's log that is not the one its offset row is about: its topic was deleted and made anew, or it lost its end.</summary>
/// <param name="End">The offset after its last record.</param>
/// <param name="First">The first record that is not too old, or <paramref name="End"/>.</param>
internal sealed record LogDivergence(long End, long First)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>Compares the record before the offset row with the one that was handled; a log that is too short for it is another one.</summary>
    /// <param name="consumer">Reads the record beside the endpoint's own consumer, which is elsewhere: of no group, assigned nothing, used by nobody meanwhile.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="next">Its offset row.</param>
    /// <param name="lastRecord">The <see cref="ConsumedRecord.Digest"/> of the record before it; null where it is not known.</param>
    /// <param name="since">Records that are older (by Kafka's timestamps) need not be read again.</param>
    /// <returns>Null where the log is the one that was read before. A record that is no longer there (compacted, or past its retention) is doubt, and counts as divergence.</returns>
    /// <exception cref="KafkaException">The broker does not answer.</exception>
    /// <remarks>Asks the broker, blocking: once for an assignment or a leader epoch, not for each batch.</remarks>
    public static LogDivergence? Find(IConsumer<byte[]?, byte[]?> consumer, TopicPartition partition, long next, byte[]? lastRecord, DateTimeOffset since)
    {
        var watermarks = consumer.QueryWatermarkOffsets(partition, Timeout);
        var end = watermarks.High.Value;
        if (end >= next && (next == 0 || lastRecord is null || IsAt(consumer, new(partition, next - 1), lastRecord)))
            return null;
        var first = consumer.OffsetsForTimes([new(partition, new Timestamp(since))], Timeout)[0].Offset;
        return new(end, first.IsSpecial ? end : first.Value);
    }

    private static bool IsAt(IConsumer<byte[]?, byte[]?> consumer, TopicPartitionOffset position, byte[] digest)
    {
        consumer.Assign(position);
        try
        {
            var result = consumer.Consume(Timeout) ?? throw new KafkaException(ErrorCode.Local_TimedOut);
            return !result.IsPartitionEOF && result.Offset == position.Offset && ConsumedRecord.From(result).Digest().AsSpan().SequenceEqual(digest);
        }
        finally
        {
            consumer.Unassign();
        }
    }
}
