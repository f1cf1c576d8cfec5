using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Shop.Testing;

/// <summary>Creates topics for tests.</summary>
public static class KafkaTopics
{
    /// <summary>
    /// Creates the topics that are not there yet, and returns when all of them can be written and read: Apache Kafka answers before its
    /// metadata shows them, and shows them before it leads their partitions.
    /// </summary>
    /// <param name="kafka">The broker's bootstrap list.</param>
    /// <param name="topics">What they are to be like.</param>
    public static async Task CreateAsync(string kafka, params IReadOnlyCollection<TopicSpecification> topics)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = kafka }).SetLogHandler((_, _) => { }).Build();
        try
        {
            await admin.CreateTopicsAsync(topics);
        }
        catch (CreateTopicsException e) when (e.Results.All(result => result.Error.Code is ErrorCode.NoError or ErrorCode.TopicAlreadyExists))
        {
        }
        var partitions = topics.SelectMany(topic => Enumerable.Range(0, topic.NumPartitions).Select(partition => new TopicPartition(topic.Name, partition))).ToList();
        await Eventually.BecomesTrueAsync(async () => await HaveLeadersAsync(admin, partitions));
    }

    /// <summary>Whether a failure says no more than that a topic or a partition has been made this moment.</summary>
    internal static bool IsNew(Error error) => error.Code
        is ErrorCode.NotLeaderForPartition or ErrorCode.LeaderNotAvailable or ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownPartition or ErrorCode.Local_UnknownTopic;

    private static async Task<bool> HaveLeadersAsync(IAdminClient admin, IReadOnlyCollection<TopicPartition> partitions)
    {
        try
        {
            await admin.ListOffsetsAsync(partitions.Select(partition => new TopicPartitionOffsetSpec { TopicPartition = partition, OffsetSpec = OffsetSpec.Earliest() }));
            return true;
        }
        catch (ListOffsetsException e) when (e.Result.ResultInfos.All(info => !info.TopicPartitionOffsetError.Error.IsError || IsNew(info.TopicPartitionOffsetError.Error)))
        {
            return false;
        }
        catch (KafkaException e) when (IsNew(e.Error))
        {
            return false;
        }
    }
}
