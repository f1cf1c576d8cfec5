using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Shop.Messaging.Kafka;

namespace Shop.Testing;

/// <summary>Creates topics for tests.</summary>
public static class KafkaTopics
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

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
        await Eventually.BecomesTrueAsync(async () => await CanBeUsedAsync(admin, [.. topics.Select(topic => topic.Name)]));
    }

    /// <summary>Whether a failure says no more than that a topic or a partition has been made this moment.</summary>
    internal static bool IsNew(Error error) => error.Code
        is ErrorCode.NotLeaderForPartition or ErrorCode.LeaderNotAvailable or ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownPartition or ErrorCode.Local_UnknownTopic;

    private static async Task<bool> CanBeUsedAsync(IAdminClient admin, IReadOnlyCollection<string> topics)
    {
        try
        {
            var shown = await TopicCheck.PartitionsAsync(admin, topics, Patience);
            if (shown.Count < topics.Count)
                return false;
            await admin.ListOffsetsAsync(shown.SelectMany(topic => Enumerable.Range(0, topic.Partitions)
                .Select(partition => new TopicPartitionOffsetSpec { TopicPartition = new(topic.Name, partition), OffsetSpec = OffsetSpec.Earliest() })), new() { RequestTimeout = Patience });
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
