using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Shop.Contracts;

namespace Shop.Messaging.Kafka;

/// <summary>Asks what topics that exist are like.</summary>
internal static class TopicCheck
{
    /// <summary>The topics that exist, with the numbers of their partitions.</summary>
    /// <exception cref="KafkaException">The broker does not answer, or not to us.</exception>
    public static async Task<IReadOnlyList<(string Name, int Partitions)>> PartitionsAsync(IAdminClient admin, IReadOnlyCollection<string> names, TimeSpan timeout)
    {
        List<TopicDescription> described;
        try
        {
            described = (await admin.DescribeTopicsAsync(TopicCollection.OfTopicNames(names), new() { RequestTimeout = timeout })).TopicDescriptions;
        }
        catch (DescribeTopicsException e)
        {
            described = e.Results.TopicDescriptions;
        }
        return [.. described.Where(topic => !topic.Error.IsError).Select(topic => (topic.Name, topic.Partitions.Count))];
    }

    /// <summary>What topics do with what is old, as far as the broker tells.</summary>
    public static async Task<IReadOnlyList<(Topic Topic, string Policy)>> CleanupPoliciesAsync(IAdminClient admin, IReadOnlyCollection<Topic> topics, TimeSpan timeout)
    {
        try
        {
            var configs = await admin.DescribeConfigsAsync(topics.Select(topic => new ConfigResource { Type = ResourceType.Topic, Name = topic.Name }), new() { RequestTimeout = timeout });
            return [.. configs.Where(config => config.Entries.ContainsKey("cleanup.policy"))
                .Select(config => (topics.First(topic => topic.Name == config.ConfigResource.Name), config.Entries["cleanup.policy"].Value))];
        }
        catch (KafkaException)
        {
            // whoever may read and write a topic need not be allowed to see its configuration
            return [];
        }
    }

    /// <summary>
    /// What is wrong with an endpoint's topics: one that handles the events of a key in one place finds them there only where topics that
    /// are meant to have equally many partitions do.
    /// </summary>
    public static IEnumerable<string> Unequal(IEnumerable<Topic> topics, IReadOnlyDictionary<string, int> partitions) => topics
        .GroupBy(topic => topic.Partitions)
        .Select(joined => joined.Select(topic => (topic.Name, Partitions: partitions.GetValueOrDefault(topic.Name, topic.Partitions))).ToList())
        .Where(joined => joined.DistinctBy(topic => topic.Partitions).Count() > 1)
        .Select(joined => $"the topics {string.Join(", ", joined.Select(topic => $"{topic.Name} ({topic.Partitions})"))} must have equally many partitions");
}
