using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Shop.Testing;

namespace Shop.Cli.Tests.Events;

/// <summary>A topic of a test's own.</summary>
internal sealed class EventsTopic : IDisposable
{
    private readonly IAdminClient _admin;
    private readonly IProducer<byte[]?, byte[]?> _producer;

    private EventsTopic(string kafka)
    {
        Kafka = kafka;
        _producer = new ProducerBuilder<byte[]?, byte[]?>(new ProducerConfig { BootstrapServers = kafka }).Build();
        _admin = new DependentAdminClientBuilder(_producer.Handle).Build();
    }

    /// <summary>The connection string.</summary>
    public string Kafka { get; }

    public string Name { get; } = $"events-{Guid.NewGuid():N}";

    public static async Task<EventsTopic> CreateAsync(string kafka, int partitions)
    {
        var topic = new EventsTopic(kafka);
        // kept whatever its records' own times are: a record of an old time is one that retention takes away at once
        await KafkaTopics.CreateAsync(kafka, new TopicSpecification { Name = topic.Name, NumPartitions = partitions, ReplicationFactor = 1, Configs = new() { ["retention.ms"] = "-1" } });
        return topic;
    }

    /// <summary>Makes it have so many partitions, and returns when they can be written to.</summary>
    public async Task AddPartitionsAsync(int count)
    {
        await _admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = Name, IncreaseTo = count }]);
        await Eventually.BecomesAsync(count, () => Task.Run(() => _admin.GetMetadata(Name, TimeSpan.FromSeconds(10)).Topics.Single().Partitions.Count));
    }

    /// <summary>Publishes an event to a partition.</summary>
    public Task PublishAsync(int partition, string type, DateTimeOffset time, string body, string key = "key") => ProduceAsync(partition, new()
    {
        Key = Encoding.UTF8.GetBytes(key),
        Value = Encoding.UTF8.GetBytes(body),
        Headers = Headers(("ce_id", Guid.CreateVersion7().ToString()), ("ce_type", type), ("ce_source", "/shop/orders"), ("ce_time", time.UtcDateTime.ToString("O"))),
    });

    /// <summary>Writes a record as it is.</summary>
    public Task ProduceAsync(int partition, Message<byte[]?, byte[]?> message) => _producer.ProduceAsync(new TopicPartition(Name, partition), message);

    public static Headers Headers(params (string Name, string Value)[] headers)
    {
        var result = new Headers();
        foreach (var (name, value) in headers)
            result.Add(name, Encoding.UTF8.GetBytes(value));
        return result;
    }

    public void Dispose()
    {
        _admin.Dispose();
        _producer.Dispose();
    }
}
