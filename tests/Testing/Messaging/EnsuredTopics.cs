using System.Collections.Concurrent;
using Shop.Contracts;
using Shop.Messaging.Kafka;

namespace Shop.Testing;

/// <summary>
/// Creates topics as the services do, where there are none yet, for whoever writes to them: a producer that asks for a topic would have the broker make
/// another.
/// </summary>
/// <param name="kafka">The broker's bootstrap list.</param>
public sealed class EnsuredTopics(string kafka)
{
    private readonly ConcurrentDictionary<string, Lazy<Task>> _topics = new();

    /// <summary>Returns when the topic can be written to, whoever asked for it first.</summary>
    public Task EnsureAsync(Topic topic) =>
        _topics.GetOrAdd(topic.Name, _ => new Lazy<Task>(() => KafkaTopics.CreateAsync(kafka, TopicCreation.Specification(topic)))).Value;
}
