using System.Collections.Concurrent;
using Npgsql;
using Shop.Messaging.Schema;
using Shop.Messaging.Workers;

namespace Shop.Inventory.Sensors;

/// <summary>What has to be known of a sensor to take in its readings.</summary>
internal sealed record KnownSensor(SensorKind Kind, byte[] KeyDigest);

/// <summary>
/// The sensors that send, in memory: a reading is taken in without the database. A change is told to every instance by NOTIFY with its commit,
/// and what may have changed while nobody listened is forgotten.
/// </summary>
internal sealed class SensorDirectory(NpgsqlDataSource dataSource) : IWorker
{
    /// <summary>The channel on which the names of changed sensors are told.</summary>
    public const string Channel = "sensor_changed";

    /// <summary>More sensors than an instance is meant to have; beyond them it looks up what it has no room for.</summary>
    private const int MostSensors = 200_000;

    private readonly ConcurrentDictionary<string, KnownSensor> _known = new(StringComparer.Ordinal);
    private long _changes;
    private volatile bool _listens;

    /// <summary>Listens for changes until the session ends.</summary>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        try
        {
            await DatabaseNotifications.ListenAsync(dataSource, Channel, BeginAnew, Forget, stoppingToken);
        }
        finally
        {
            // what it knows stays: an outage of the database is no reason to take no readings. New questions go there, and wait or fail.
            _listens = false;
        }
    }

    /// <summary>The sensor; null where none of that name is registered.</summary>
    public async ValueTask<KnownSensor?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue(name, out var known))
            return known;
        var changes = Interlocked.Read(ref _changes);
        await using var command = dataSource.CreateCommand("SELECT kind, key_digest FROM sensors WHERE name = $1");
        command.Parameters.Add(SqlParameter.Of(name));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        known = new(Enum.Parse<SensorKind>(reader.GetString(0), ignoreCase: true), reader.GetFieldValue<byte[]>(1));
        // what was read may be older than a change that was told meanwhile, and nobody would tell of a change at all who does not listen
        if (_listens && _known.Count < MostSensors)
        {
            _known[name] = known;
            if (Interlocked.Read(ref _changes) != changes)
                _known.TryRemove(name, out _);
        }
        return known;
    }

    /// <summary>The sensor has changed: it is looked up when it sends the next time.</summary>
    public void Forget(string name)
    {
        Interlocked.Increment(ref _changes);
        _known.TryRemove(name, out _);
    }

    private void BeginAnew()
    {
        Interlocked.Increment(ref _changes);
        _known.Clear();
        _listens = true;
    }
}
