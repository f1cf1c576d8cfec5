using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Npgsql;
using Shop.Messaging.Kafka;

namespace Shop.Messaging.Consuming;

/// <summary>Tells whether an endpoint has handled everything that was on its topics at an earlier moment, whichever instances do so.</summary>
public sealed class EndpointProgress
{
    private readonly TopicOffsets _offsets;
    private readonly NpgsqlDataSource _dataSource;
    private readonly MessagingOptions _options;

    internal EndpointProgress(TopicOffsets offsets, NpgsqlDataSource dataSource, MessagingOptions options) =>
        (_offsets, _dataSource, _options) = (offsets, dataSource, options);

    /// <summary>Where the endpoint's topics end now, by topic and partition; partitions that have no records are left out.</summary>
    /// <param name="endpoint">The endpoint's name, as it was declared.</param>
    /// <exception cref="KafkaException">The broker cannot be asked.</exception>
    public async Task<IReadOnlyDictionary<(string Topic, int Partition), long>> EndsAsync(string endpoint)
    {
        var partitions = await _offsets.PartitionsAsync(Options(endpoint).Topics);
        var ends = await _offsets.ReadAsync(partitions, OffsetSpec.Latest());
        var starts = await _offsets.ReadAsync(partitions, OffsetSpec.Earliest());
        return ends.Where(end => end.Value > starts[end.Key]).ToDictionary();
    }

    /// <summary>Whether the endpoint has handled what is before those ends.</summary>
    public async Task<bool> HasHandledAsync(string endpoint, IReadOnlyDictionary<(string Topic, int Partition), long> ends, CancellationToken cancellationToken)
    {
        await using var connection = await _dataSource.OpenConnectionAsync(cancellationToken);
        var handled = await EndpointPositions.ReadAsync(connection, Options(endpoint).Name, forUpdate: false, cancellationToken);
        return ends.All(end => handled.GetValueOrDefault(end.Key) >= end.Value);
    }

    private EndpointOptions Options(string endpoint) => _options.Endpoints.Single(options => options.Name == $"{_options.ServiceName}.{endpoint}");
}
