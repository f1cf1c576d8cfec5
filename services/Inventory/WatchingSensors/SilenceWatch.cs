using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Options;
using Npgsql;
using Shop.Messaging.Consuming;
using Shop.Messaging.Workers;

namespace Shop.Inventory.WatchingSensors;

/// <summary>
/// Raises alarms about sensors that have gone silent. Time goes on here only as far as readings are handled: after an outage, or behind a
/// backlog, nobody is called silent whose readings wait to be handled.
/// </summary>
internal sealed class SilenceWatch(IServiceScopeFactory scopes, EndpointProgress progress, IOptions<SilenceOptions> settings, TimeProvider time) : IPeriodicWorker
{
    /// <summary>The endpoint that handles readings.</summary>
    public const string Endpoint = "sensors";

    /// <summary>Sensors of one transaction.</summary>
    private const int Step = 500;

    /// <summary>Rounds that are further apart have an outage between them, or a backlog.</summary>
    private static readonly TimeSpan LongestRound = TimeSpan.FromSeconds(6);

    /// <summary>Since when readings come and are handled without a gap.</summary>
    private DateTimeOffset _hearsSince;

    private DateTimeOffset _lastRoundAt;
    private (DateTimeOffset At, IReadOnlyDictionary<(string Topic, int Partition), long> Ends)? _earlier;

    /// <inheritdoc/>
    public TimeSpan Interval => TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    public async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        var now = time.GetUtcNow();
        // after an outage a sensor has as long as ever to be heard of again
        if (_earlier is null || now - _lastRoundAt > LongestRound)
            _hearsSince = now;
        if (_earlier is { } earlier)
        {
            if (!await progress.HasHandledAsync(Endpoint, earlier.Ends, stoppingToken))
                return;
            while (earlier.At - _hearsSince >= settings.Value.SilentAfter && await RaiseAsync(earlier.At - settings.Value.SilentAfter, stoppingToken) == Step)
            {
            }
        }
        _earlier = await HearsAsync(stoppingToken) ? (now, await progress.EndsAsync(Endpoint)) : null;
        _lastRoundAt = now;
    }

    /// <summary>Whether there are sensors that could fall silent: a shop without any asks nobody.</summary>
    private async Task<bool> HearsAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<InventoryDb>().SensorStates.AnyAsync(state => state.HeardAt != null && state.SilenceAlarm == null, cancellationToken);
    }

    private async Task<int> RaiseAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<InventoryDb>();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var (connection, dbTransaction) = ((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)transaction.GetDbTransaction());
        var silent = await SensorStates.LockSilentAsync(connection, dbTransaction, before, Step, cancellationToken);
        if (silent.Count == 0)
            return 0;
        var states = silent.Values.Select(sensor => sensor.State with { SilenceAlarm = Guid.CreateVersion7(time.GetUtcNow()) }).ToList();
        foreach (var state in states)
            db.Publish(SensorAlarms.Silent(state.SilenceAlarm!.Value, state.Sensor, state.HeardAt!.Value, settings.Value.SilentAfter));
        await SensorStates.WriteAsync(connection, dbTransaction, states, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return silent.Count;
    }
}
