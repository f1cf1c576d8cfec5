using Confluent.Kafka;

namespace Shop.Messaging.Kafka;

/// <summary>Where a consumer begins.</summary>
internal static class ConsumerStart
{
    /// <summary>
    /// One before what Kafka was told, and so nearly always at the last record that was handled, which is to be compared. It costs nothing:
    /// the client would ask for what Kafka was told itself. The offset rows say the rest, once there are records.
    /// </summary>
    /// <returns>An offset for each partition; unset, which is left to Kafka, where it was told none or does not answer.</returns>
    public static List<TopicPartitionOffset> AtLastRecords(IConsumer<byte[]?, byte[]?> consumer, List<TopicPartition> partitions, TimeSpan timeout)
    {
        try
        {
            return [.. consumer.Committed(partitions, timeout).Select(committed =>
                new TopicPartitionOffset(committed.TopicPartition, committed.Offset.Value > 0 ? committed.Offset.Value - 1 : Offset.Unset))];
        }
        catch (KafkaException)
        {
            return [.. partitions.Select(partition => new TopicPartitionOffset(partition, Offset.Unset))];
        }
    }
}
