using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shop.Messaging.Workers;

namespace Shop.Messaging.Operations;

/// <summary>
/// What waits, and where: outbox, refused events, dead letters, parked keys, lag and sagas by state. Looked up now and then, and
/// only where somebody listens, so that a collector's callback never waits for the database.
/// </summary>
internal sealed class MessagingGauges : IPeriodicWorker
{
    /// <summary>The name of the property in which a saga keeps its state, MassTransit's convention.</summary>
    private const string StateProperty = "CurrentState";

    /// <summary>Counting sagas looks at thousands of them.</summary>
    private static readonly TimeSpan SagaInterval = TimeSpan.FromMinutes(1);

    private readonly NpgsqlDataSource _dataSource;
    private readonly IServiceScopeFactory _scopes;
    private readonly MessagingOptions _options;
    private readonly TimeProvider _time;
    private readonly List<ObservableInstrument<double>> _instruments = [];
    private readonly ConcurrentDictionary<string, Measurement<double>[]> _measured = new();
    private readonly ConcurrentDictionary<(string Endpoint, string Topic, int Partition), long> _lag = new();

    private long _sagasAt;

    public MessagingGauges(NpgsqlDataSource dataSource, IServiceScopeFactory scopes, MessagingOptions options, TimeProvider time)
    {
        _dataSource = dataSource;
        _scopes = scopes;
        _options = options;
        _time = time;
        Gauge("shop.outbox.depth", "{event}", "Events that are committed and not yet acknowledged by the broker");
        Gauge("shop.outbox.age", "s", "Age of the oldest of them");
        Gauge("shop.outbox.refused", "{event}", "Events that the broker refused, each of which holds back its key");
        Gauge("shop.timeouts.pending", "{timeout}", "Timeouts that are scheduled");
        Gauge("shop.dead_letters", "{record}", "Dead letters that wait for an operator; each parks a key");
        Gauge("shop.parked.records", "{record}", "Records that wait behind a dead letter of their key");
        Gauge("shop.sagas", "{saga}", "Sagas by state; of more than 10,000 as many as the database's statistics say");
        _instruments.Add(MessagingTelemetry.Meter.CreateObservableGauge("shop.consumer.lag", () => _lag.Select(lag => new Measurement<double>(lag.Value,
            new("messaging.consumer.group.name", lag.Key.Endpoint), new("messaging.destination.name", lag.Key.Topic), new("messaging.destination.partition.id", lag.Key.Partition))),
            "{record}", "Records of a partition that are not handled yet"));
    }

    /// <inheritdoc/>
    public TimeSpan Interval => TimeSpan.FromSeconds(10);

    /// <summary>How far an endpoint is behind; null when it has lost the partition.</summary>
    public void Lag(string endpoint, string topic, int partition, long? records)
    {
        if (records is { } behind)
            _lag[(endpoint, topic, partition)] = behind;
        else
            _lag.TryRemove((endpoint, topic, partition), out _);
    }

    /// <summary>Looks everything up.</summary>
    public async Task MeasureAsync(bool withSagas, CancellationToken cancellationToken)
    {
        var outbox = await WaitingMessages.OutboxAsync(_dataSource, _time.GetUtcNow(), cancellationToken);
        (string Name, double Value)[] measured =
            [("shop.outbox.depth", outbox.Depth), ("shop.outbox.age", outbox.OldestSeconds), ("shop.outbox.refused", outbox.Refused), ("shop.timeouts.pending", outbox.Timeouts)];
        foreach (var (name, value) in measured)
            _measured[name] = [new(value, new KeyValuePair<string, object?>("service.name", _options.ServiceName))];
        var endpoints = _options.Endpoints.ConvertAll(endpoint => endpoint.Name);
        await CountAsync("shop.dead_letters", "messaging.consumer.group.name", WaitingMessages.DeadLettersByEndpoint, endpoints, cancellationToken);
        await CountAsync("shop.parked.records", "messaging.consumer.group.name", WaitingMessages.ParkedByEndpoint, endpoints, cancellationToken);
        if (!withSagas)
            return;
        foreach (var saga in _options.Endpoints.Select(endpoint => endpoint.SagaType).OfType<Type>())
        {
            if (StateColumn(saga) is { } column)
                Set("shop.sagas", "shop.saga.state", await SagaCounts.ReadAsync(_dataSource, column.Table, column.Column, cancellationToken));
        }
    }

    /// <inheritdoc/>
    public async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        if (!_instruments.Exists(instrument => instrument.Enabled))
            return;
        var withSagas = _sagasAt == 0 || _time.GetElapsedTime(_sagasAt) > SagaInterval;
        await MeasureAsync(withSagas, stoppingToken);
        _sagasAt = withSagas ? _time.GetTimestamp() : _sagasAt;
    }

    private void Gauge(string name, string unit, string description) => _instruments.Add(
        MessagingTelemetry.Meter.CreateObservableGauge(name, () => _measured.GetValueOrDefault(name) ?? [], unit, description));

    /// <summary>Counts by a tag.</summary>
    private async Task CountAsync(string name, string tag, string sql, IReadOnlyCollection<string> known, CancellationToken cancellationToken) =>
        Set(name, tag, await WaitingMessages.CountAsync(_dataSource, sql, known, cancellationToken));

    private void Set(string name, string tag, Dictionary<string, double> counts) =>
        _measured[name] = [.. counts.Select(count => new Measurement<double>(count.Value, new KeyValuePair<string, object?>(tag, count.Key)))];

    private (string Table, string Column)? StateColumn(Type saga)
    {
        using var scope = _scopes.CreateScope();
        var entity = scope.ServiceProvider.GetRequiredService<MessagingDbContext>().Model.FindEntityType(saga)!;
        var table = StoreObjectIdentifier.Table(entity.GetTableName()!, entity.GetSchema());
        return entity.FindProperty(StateProperty) is { ClrType: var type } state && type == typeof(string)
            ? (table.Name, state.GetColumnName(table)!)
            : null;
    }
}
