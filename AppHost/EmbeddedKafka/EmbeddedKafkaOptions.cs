using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Shop.KafkaBroker;

/// <summary>How an <see cref="EmbeddedKafka"/> broker runs. The defaults suit a test: any free port, a temporary directory, topics made when they are asked for.</summary>
public sealed record EmbeddedKafkaOptions
{
    /// <summary>Where the log is kept; null for a temporary directory that is removed when the broker is disposed.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>The port to listen on; 0 for any free one.</summary>
    public int Port { get; init; }

    /// <summary>The address to listen on; null for both loopback addresses, 127.0.0.1 and ::1.</summary>
    public IPAddress? ListenAddress { get; init; }

    /// <summary>The host name that clients are told to connect to.</summary>
    public string AdvertisedHost { get; init; } = "127.0.0.1";

    /// <summary>Whether a topic is made when a client that allows it asks about one that is not there.</summary>
    public bool AutoCreateTopics { get; init; } = true;

    /// <summary>The partitions of a topic whose creator does not say how many.</summary>
    public int DefaultPartitions { get; init; } = 1;

    /// <summary>Settings, by Apache Kafka's names such as <c>segment.bytes</c>, of topics that do not set them.</summary>
    public IReadOnlyDictionary<string, string> TopicDefaults { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Whether every batch and every commit is forced to the disk before it is acknowledged, so that it outlives a power
    /// loss. Otherwise it outlives a killed process, and a power loss but for the last <see cref="FlushInterval"/>.
    /// </summary>
    public bool FlushEveryAppend { get; init; }

    /// <summary>How often what was written is forced to the disk.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often retention and compaction look for work.</summary>
    public TimeSpan CleanInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The largest request in bytes; a connection that announces a larger one is closed.</summary>
    public int MaxRequestBytes { get; init; } = 100 * 1024 * 1024;

    /// <summary>The most connections at a time; further ones are closed at once.</summary>
    public int MaxConnections { get; init; } = 2000;

    /// <summary>The most partitions of all topics together.</summary>
    public int MaxPartitions { get; init; } = 10_000;

    /// <summary>The most consumer groups; joining or committing in a further one is refused.</summary>
    public int MaxGroups { get; init; } = 10_000;

    /// <summary>The most members of a consumer group.</summary>
    public int MaxGroupSize { get; init; } = 1000;

    /// <summary>The shortest session timeout that a consumer group's member may ask for.</summary>
    public TimeSpan MinSessionTimeout { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>The longest session timeout that a consumer group's member may ask for.</summary>
    public TimeSpan MaxSessionTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>How long the committed offsets of a group without members are kept.</summary>
    public TimeSpan OffsetsRetention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>How long an idle idempotent producer's sequence numbers are remembered.</summary>
    public TimeSpan ProducerExpiration { get; init; } = TimeSpan.FromDays(1);

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>The disk.</summary>
    internal Disk Disk { get; init; } = new();

    /// <summary>Where the broker logs.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;
}
