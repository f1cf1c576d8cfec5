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
        await Eventually.BecomesTrueAsync(() => AreThereAsync(admin, topics));
        await Eventually.BecomesTrueAsync(async () => await CanBeUsedAsync(admin, [.. topics.Select(topic => topic.Name)]));
    }

    /// <summary>Whether a failure says no more than that a topic or a partition has been made this moment, or that a busy broker has not answered in time.</summary>
    internal static bool IsNotYet(Error error) => error.Code
        is ErrorCode.NotLeaderForPartition or ErrorCode.LeaderNotAvailable or ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownPartition or ErrorCode.Local_UnknownTopic
        or ErrorCode.RequestTimedOut or ErrorCode.Local_TimedOut or ErrorCode.Local_Transport;

    /// <summary>Creates them; what was asked for before, and was not answered, is there the next time.</summary>
    private static async Task<bool> AreThereAsync(IAdminClient admin, IReadOnlyCollection<TopicSpecification> topics)
    {
        try
        {
            await admin.CreateTopicsAsync(topics);
            return true;
        }
        catch (CreateTopicsException e) when (e.Results.All(result => result.Error.Code is ErrorCode.NoError or ErrorCode.TopicAlreadyExists || IsNotYet(result.Error)))
        {
            return !e.Results.Exists(result => IsNotYet(result.Error));
        }
        catch (KafkaException e) when (IsNotYet(e.Error))
        {
            return false;
        }
    }

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
        catch (ListOffsetsException)
        {
            // of some of the partitions: whatever a broker says of one that it is about to lead
            return false;
        }
        catch (KafkaException e) when (IsNotYet(e.Error))
        {
            return false;
        }
    }
}
