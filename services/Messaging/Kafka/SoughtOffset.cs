using Confluent.Kafka;

namespace Shop.Messaging.Kafka;

/// <summary>An offset behind what no client can read, at which a consumer was told to go on.</summary>
internal static class SoughtOffset
{
    /// <summary>
    /// Whether a record is from before the offset that was sought, of the same log: librdkafka may begin again at the log's start even after a seek, when
    /// the answer to a wrong fetch comes late. A log that ends before that offset is another one, or has lost its end.
    /// </summary>
    public static bool IsBehind(IConsumer<byte[]?, byte[]?> consumer, ConsumeResult<byte[]?, byte[]?> record, long sought) =>
        record.Offset.Value < sought && consumer.GetWatermarkOffsets(record.TopicPartition).High.Value >= sought;

    /// <summary>
    /// The leader epoch of the first record that comes after something was passed over, where it is later than that of what came before: such a record says
    /// nothing of what is before it, since librdkafka, which was told no epoch with the offset, has not asked whether the new leader has what was passed over (KIP-320).
    /// </summary>
    /// <param name="record">The record.</param>
    /// <param name="before">The epoch of what came before; null where that is not known.</param>
    /// <param name="isLaterIfUnknown">Whether the record's is taken for a later one then.</param>
    public static int? LaterEpochOf(ConsumeResult<byte[]?, byte[]?> record, int? before, bool isLaterIfUnknown) =>
        record.LeaderEpoch is { } epoch && (before is { } known ? epoch > known : isLaterIfUnknown) ? epoch : null;
}
