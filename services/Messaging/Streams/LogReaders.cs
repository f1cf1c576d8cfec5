using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Shop.Contracts;
using Shop.Messaging.Consuming;
using Shop.Messaging.Kafka;

namespace Shop.Messaging.Streams;

/// <summary>A partition of a topic, and what Kafka has of it.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition's number.</param>
/// <param name="First">The offset of the oldest record that is still there.</param>
/// <param name="End">The offset after the newest.</param>
public sealed record LogPartition(Topic Topic, int Partition, long First, long End);

/// <summary>Opens readers of whole topics: for what keeps its own positions, such as an archive or a projection that is built again.</summary>
public sealed class LogReaders
{
    private readonly KafkaConnection _kafka;
    private readonly MessagingOptions _options;
    private readonly KafkaLog _log;
    private readonly ReadabilityProbe _readability;
    private readonly ILogger<LogReader> _logger;

    internal LogReaders(KafkaConnection kafka, MessagingOptions options, KafkaLog log, ReadabilityProbe readability, ILogger<LogReader> logger) =>
        (_kafka, _options, _log, _readability, _logger) = (kafka, options, log, readability, logger);

    /// <summary>Opens a reader, which reads nothing until it is told where to begin.</summary>
    public LogReader Open() => new(() => _log.Attach(new ConsumerBuilder<byte[]?, byte[]?>(_kafka.Reader(_options.ServiceName))).Build(), _log, _readability, _logger);
}
