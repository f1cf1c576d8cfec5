using Confluent.Kafka;

namespace Shop.Messaging.Kafka;

/// <summary>How to reach Kafka: the connection string <c>kafka</c>.</summary>
public sealed class KafkaConnection
{
    /// <summary>How long a consumer waits after a fetch that failed: from a topic that is gone, for one. Nothing comes meanwhile, which is how that is noticed.</summary>
    internal static readonly TimeSpan FetchErrorBackoff = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a partition of which enough has been fetched is not asked for more, in milliseconds. In a second, librdkafka's own choice, all that waits is handled, and nothing is there to do.</summary>
    private const int FetchQueueBackoff = 20;

    private readonly Dictionary<string, string> _settings;

    private KafkaConnection(Dictionary<string, string> settings) => _settings = settings;

    /// <summary>Reads a bootstrap list (<c>host:9092,host:9093</c>) or librdkafka settings (<c>bootstrap.servers=...;security.protocol=SASL_SSL;...</c>).</summary>
    /// <exception cref="FormatException">A setting is not of the form <c>name=value</c>, or no bootstrap server is given.</exception>
    public static KafkaConnection Parse(string connectionString)
    {
        if (!connectionString.Contains('='))
            return new(new() { ["bootstrap.servers"] = connectionString.Trim() });
        var settings = new Dictionary<string, string>();
        foreach (var setting in connectionString.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = setting.IndexOf('=');
            if (equals <= 0)
                throw new FormatException("A setting of the Kafka connection string is not of the form name=value");
            settings[setting[..equals].Trim()] = setting[(equals + 1)..].Trim();
        }
        if (!settings.ContainsKey("bootstrap.servers"))
            throw new FormatException("The Kafka connection string names no bootstrap.servers");
        return new(settings);
    }

    /// <summary>A client for asking the broker; what it cannot do it throws, and logs nothing besides.</summary>
    internal IAdminClient CreateAdmin() => new AdminClientBuilder(Common(new AdminClientConfig(new Dictionary<string, string>(_settings))))
        .SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();

    /// <param name="clientId">The producer's name at the broker.</param>
    /// <param name="gapless">Whether an event that is refused ends the producer, so that nothing gets ahead of it.</param>
    /// <param name="batchBytes">The largest batch, which the smallest of its topics' limits allows.</param>
    internal ProducerConfig Producer(string clientId, bool gapless, int batchBytes)
    {
        var config = Common(new ProducerConfig(new Dictionary<string, string>(_settings)));
        config.ClientId = clientId;
        config.Acks = Acks.All;
        config.EnableIdempotence = true;
        config.EnableGaplessGuarantee = gapless;
        config.BatchSize = batchBytes;
        // the Java clients' partitioner, so that a producer in any language puts a key where we do
        config.Partitioner = Partitioner.Murmur2Random;
        config.LingerMs = 0;
        // an outbox row is only ever given up by an operator: while the broker is away the producer keeps trying, in order
        config.MessageTimeoutMs = 0;
        // a topic that is not there is one to be created, or a mistake; either way it is soon known
        config.Set("topic.metadata.propagation.max.ms", "5000");
        // the relay knows its rows by their ids: what it sent need not come back
        config.DeliveryReportFields = "none";
        config.QueueBufferingMaxMessages = 200_000;
        config.QueueBufferingMaxKbytes = 64 * 1024;
        config.CompressionType = CompressionType.Lz4;
        return config;
    }

    internal ConsumerConfig Consumer(string clientId, string group, string? instanceName)
    {
        var config = Common(new ConsumerConfig(new Dictionary<string, string>(_settings)));
        config.ClientId = clientId;
        config.GroupId = group;
        config.GroupInstanceId = instanceName;
        config.AutoOffsetReset = AutoOffsetReset.Earliest;
        // range gives one consumer the partitions of one number of all its topics, which the lanes count on; cooperative-sticky does not
        config.PartitionAssignmentStrategy = PartitionAssignmentStrategy.Range;
        // The database's offset row is the truth; what Kafka knows is for people and tools, so it may follow in the background.
        config.EnableAutoCommit = true;
        config.AutoCommitIntervalMs = 500;
        config.EnableAutoOffsetStore = false;
        config.AllowAutoCreateTopics = false;
        config.SessionTimeoutMs ??= 10_000;
        config.HeartbeatIntervalMs ??= 1_000;
        config.FetchWaitMaxMs = 500;
        config.FetchErrorBackoffMs = (int)FetchErrorBackoff.TotalMilliseconds;
        // no broker looks at checksums when it is asked for records: a bit that fell over on its disk would be an event like others
        config.CheckCrcs = true;
        config.FetchQueueBackoffMs = FetchQueueBackoff;
        config.QueuedMinMessages = 10_000;
        config.QueuedMaxMessagesKbytes = 16 * 1024;
        return config;
    }

    /// <summary>For reading whole topics as fast as they can be handled, in no group.</summary>
    internal ConsumerConfig Reader(string clientId)
    {
        var config = Common(new ConsumerConfig(new Dictionary<string, string>(_settings)));
        config.ClientId = clientId;
        // librdkafka wants one to be named; without a subscription or commits the broker never hears of it
        config.GroupId = $"{clientId}.reader";
        config.EnableAutoCommit = false;
        config.EnablePartitionEof = true;
        config.EnableAutoOffsetStore = false;
        config.AllowAutoCreateTopics = false;
        config.AutoOffsetReset = AutoOffsetReset.Earliest;
        config.FetchWaitMaxMs = 100;
        config.FetchErrorBackoffMs = 50;
        config.CheckCrcs = true;
        config.FetchQueueBackoffMs = FetchQueueBackoff;
        config.QueuedMinMessages = 50_000;
        config.QueuedMaxMessagesKbytes = 32 * 1024;
        return config;
    }

    /// <summary>For finding out whether what is at an offset can be read: in no group, with the log lines that tell.</summary>
    internal ConsumerConfig Probe(string clientId)
    {
        var config = Common(new ConsumerConfig(new Dictionary<string, string>(_settings)));
        config.ClientId = clientId;
        // librdkafka wants one to be named; without a subscription or commits the broker never hears of it
        config.GroupId = $"{clientId}.probe";
        config.EnableAutoCommit = false;
        config.EnablePartitionEof = true;
        config.AllowAutoCreateTopics = false;
        // the answer to a wrong fetch may take effect under the next assignment (rd_kafka_offset_reset knows no versions): as an error it does not begin at the log's start
        config.AutoOffsetReset = AutoOffsetReset.Error;
        config.FetchWaitMaxMs = 10;
        config.FetchErrorBackoffMs = 10;
        config.CheckCrcs = true;
        config.Debug = "msg";
        return config;
    }

    private static TConfig Common<TConfig>(TConfig config) where TConfig : ClientConfig
    {
        config.SocketNagleDisable = true;
        config.SocketKeepaliveEnable = true;
        config.ReconnectBackoffMs = 50;
        config.ReconnectBackoffMaxMs = 1_000;
        config.TopicMetadataRefreshIntervalMs = 30_000;
        return config;
    }
}
