using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Shop.KafkaBroker.Tests;

/// <summary>Confluent.Kafka clients as the tests use them.</summary>
internal static class Clients
{
    public static IProducer<string, string> Producer(string bootstrapServers, Action<ProducerConfig>? configure = null)
    {
        var config = new ProducerConfig { BootstrapServers = bootstrapServers, EnableIdempotence = true, LingerMs = 1 };
        configure?.Invoke(config);
        return new ProducerBuilder<string, string>(config).SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
    }

    public static IConsumer<string, string> Consumer(string bootstrapServers, string group, Action<ConsumerConfig>? configure = null) =>
        new ConsumerBuilder<string, string>(ConsumerConfig(bootstrapServers, group, configure)).SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();

    public static ConsumerConfig ConsumerConfig(string bootstrapServers, string group, Action<ConsumerConfig>? configure = null)
    {
        var config = new ConsumerConfig
        {
            BootstrapServers = bootstrapServers,
            GroupId = group,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            EnableAutoCommit = false,
            SessionTimeoutMs = 30_000,
            HeartbeatIntervalMs = 200,
            TopicMetadataRefreshIntervalMs = 500,
        };
        configure?.Invoke(config);
        return config;
    }

    public static IAdminClient Admin(string bootstrapServers) =>
        new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrapServers }).SetLogHandler((_, _) => { }).Build();

    public static Task CreateTopicAsync(string bootstrapServers, string name, int partitions = 1, Dictionary<string, string>? configs = null) =>
        KafkaTopics.CreateAsync(bootstrapServers, new TopicSpecification { Name = name, NumPartitions = partitions, ReplicationFactor = 1, Configs = configs });

    /// <summary>Reads from a partition's first offset until a number of records is there.</summary>
    public static List<ConsumeResult<string, string>> ReadAll(string bootstrapServers, string topic, int count, int partition = 0) =>
        ReadAll(bootstrapServers, count, new TopicPartition(topic, partition));

    /// <summary>Reads the first partition of several topics from its first offset until a number of records is there.</summary>
    public static List<ConsumeResult<string, string>> ReadAll(string bootstrapServers, IEnumerable<string> topics, int count) =>
        ReadAll(bootstrapServers, count, [.. topics.Select(topic => new TopicPartition(topic, 0))]);

    private static List<ConsumeResult<string, string>> ReadAll(string bootstrapServers, int count, params TopicPartition[] partitions)
    {
        using var consumer = Consumer(bootstrapServers, "reader");
        consumer.Assign(partitions.Select(partition => new TopicPartitionOffset(partition, Offset.Beginning)));
        var records = new List<ConsumeResult<string, string>>();
        for (var deadline = DateTime.UtcNow + Eventually.DefaultDeadline; records.Count < count && DateTime.UtcNow < deadline;)
        {
            if (consumer.Consume(TimeSpan.FromMilliseconds(500)) is { } record)
                records.Add(record);
        }
        return records;
    }
}
