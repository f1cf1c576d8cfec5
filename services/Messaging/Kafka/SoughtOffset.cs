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
}
