using System.Globalization;

namespace Shop.KafkaBroker;

/// <summary>One setting that a topic can have, as the admin calls show it.</summary>
/// <param name="Name">The name in Apache Kafka.</param>
/// <param name="Default">The value of a topic that does not set it.</param>
/// <param name="Type">The type number of DescribeConfigs: 1 boolean, 2 string, 3 int, 5 long, 6 double, 7 list.</param>
/// <param name="Accepts">Whether a value is allowed.</param>
/// <param name="BrokerName">The name of the broker's setting that it defaults to, which Apache Kafka's tools show; null for none.</param>
/// <param name="SetForCluster">Whether a new cluster of Apache Kafka 4 sets it for all topics, which its tools show too.</param>
internal sealed record TopicSetting(string Name, string Default, sbyte Type, Func<string, bool> Accepts, string? BrokerName = null, bool SetForCluster = false);

/// <summary>
/// The settings of one topic: what was set, over the defaults. Settings of Apache Kafka that mean nothing on a single
/// node are accepted and shown, since tools and deployment scripts set them.
/// </summary>
internal sealed class TopicConfig
{
    private readonly IReadOnlyDictionary<string, string> _defaults;

    /// <summary>Creates the settings from values that <see cref="Refuse"/> did not refuse.</summary>
    public TopicConfig(IReadOnlyDictionary<string, string> values, IReadOnlyDictionary<string, string> defaults)
    {
        _defaults = defaults;
        Values = values;
        MaxMessageBytes = (int)Number("max.message.bytes");
        SegmentBytes = Number("segment.bytes");
        SegmentMilliseconds = Number("segment.ms");
        RetentionMilliseconds = Number("retention.ms");
        RetentionBytes = Number("retention.bytes");
        DeleteRetentionMilliseconds = Number("delete.retention.ms");
        MinCompactionLagMilliseconds = Number("min.compaction.lag.ms");
        TimestampBeforeMaxMilliseconds = Number("message.timestamp.before.max.ms");
        TimestampAfterMaxMilliseconds = Number("message.timestamp.after.max.ms");
        MinCleanableDirtyRatio = double.Parse(this["min.cleanable.dirty.ratio"], CultureInfo.InvariantCulture);
        var policies = this["cleanup.policy"].Split(',', StringSplitOptions.TrimEntries);
        Compacted = policies.Contains("compact");
        Deleted = policies.Contains("delete");
    }

    public static IReadOnlyList<TopicSetting> Settings { get; } =
    [
        new("cleanup.policy", "delete", 7, value => value.Split(',', StringSplitOptions.TrimEntries).All(policy => policy is "delete" or "compact"), "log.cleanup.policy"),
        Int("compression.gzip.level", "-1", -1, "compression.gzip.level"),
        Int("compression.lz4.level", "9", 1, "compression.lz4.level"),
        new("compression.type", "producer", 2, value => value is "producer" or "uncompressed" or "gzip" or "snappy" or "lz4" or "zstd", "compression.type"),
        Int("compression.zstd.level", "3", -131072, "compression.zstd.level"),
        Long("delete.retention.ms", "86400000", 0, "log.cleaner.delete.retention.ms"),
        Long("file.delete.delay.ms", "60000", 0, "log.segment.delete.delay.ms"),
        Long("flush.messages", "9223372036854775807", 1, "log.flush.interval.messages"),
        Long("flush.ms", "9223372036854775807", 0),
        Int("index.interval.bytes", "4096", 0, "log.index.interval.bytes"),
        Long("max.compaction.lag.ms", "9223372036854775807", 1, "log.cleaner.max.compaction.lag.ms"),
        Int("max.message.bytes", "1048588", 0, "message.max.bytes"),
        Long("message.timestamp.after.max.ms", "3600000", 0, "log.message.timestamp.after.max.ms"),
        Long("message.timestamp.before.max.ms", "9223372036854775807", 0, "log.message.timestamp.before.max.ms"),
        new("message.timestamp.type", "CreateTime", 2, value => value is "CreateTime", "log.message.timestamp.type"),
        new("min.cleanable.dirty.ratio", "0.5", 6, value => double.TryParse(value, CultureInfo.InvariantCulture, out var ratio) && ratio is >= 0 and <= 1, "log.cleaner.min.cleanable.ratio"),
        Long("min.compaction.lag.ms", "0", 0, "log.cleaner.min.compaction.lag.ms"),
        Int("min.insync.replicas", "1", 1, "min.insync.replicas") with { SetForCluster = true },
        new("preallocate", "false", 1, value => value is "true" or "false", "log.preallocate"),
        Long("retention.bytes", "-1", -1, "log.retention.bytes"),
        Long("retention.ms", "604800000", -1),
        Int("segment.bytes", "67108864", 1024, "log.segment.bytes"),
        Int("segment.index.bytes", "10485760", 4, "log.index.size.max.bytes"),
        Long("segment.jitter.ms", "0", 0),
        Long("segment.ms", "604800000", 1),
        new("unclean.leader.election.enable", "false", 1, value => value is "true" or "false", "unclean.leader.election.enable"),
    ];

    /// <summary>What was set for this topic.</summary>
    public IReadOnlyDictionary<string, string> Values { get; }

    public int MaxMessageBytes { get; }

    public long SegmentBytes { get; }

    public long SegmentMilliseconds { get; }

    /// <summary>How long records are kept, in milliseconds; -1 for ever.</summary>
    public long RetentionMilliseconds { get; }

    /// <summary>How many bytes of a partition are kept; -1 for all.</summary>
    public long RetentionBytes { get; }

    public long DeleteRetentionMilliseconds { get; }

    public long MinCompactionLagMilliseconds { get; }

    /// <summary>How much older than now a record's timestamp may be.</summary>
    public long TimestampBeforeMaxMilliseconds { get; }

    /// <summary>How much later than now a record's timestamp may be.</summary>
    public long TimestampAfterMaxMilliseconds { get; }

    public double MinCleanableDirtyRatio { get; }

    public bool Compacted { get; }

    public bool Deleted { get; }

    public string this[string name] => Values.GetValueOrDefault(name) ?? Default(name);

    /// <summary>The value a topic has that does not set it.</summary>
    public string Default(string name) => _defaults.GetValueOrDefault(name) ?? Settings.First(setting => setting.Name == name).Default;

    /// <summary>Why a value is not accepted, or null.</summary>
    public static string? Refuse(string name, string? value)
    {
        var setting = Settings.FirstOrDefault(setting => setting.Name == name);
        if (setting is null)
            return $"Unknown topic config name: {name}";
        return value is not null && setting.Accepts(value) ? null : $"Invalid value {value ?? "null"} for configuration {name}";
    }

    private static TopicSetting Long(string name, string value, long minimum, string? brokerName = null) =>
        new(name, value, 5, text => long.TryParse(text, CultureInfo.InvariantCulture, out var number) && number >= minimum, brokerName);

    private static TopicSetting Int(string name, string value, int minimum, string? brokerName = null) =>
        new(name, value, 3, text => int.TryParse(text, CultureInfo.InvariantCulture, out var number) && number >= minimum, brokerName);

    private long Number(string name) => long.Parse(this[name], CultureInfo.InvariantCulture);
}
