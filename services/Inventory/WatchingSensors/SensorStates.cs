using Npgsql;
using NpgsqlTypes;
using Shop.Inventory.Sensors;
using Shop.Messaging.Schema;

namespace Shop.Inventory.WatchingSensors;

/// <summary>The statements of the table <c>sensor_states</c>.</summary>
internal static class SensorStates
{
    private const string Select = """
        SELECT t.sensor, t.read_at, t.reported_at, t.value, t.heard_at, t.strikes, t.alarm, t.silence_alarm, s.kind, s.sku, s.unit_grams, s.tare_grams, s.min_celsius, s.max_celsius
        FROM sensor_states t JOIN sensors s ON s.name = t.sensor
        """;

    /// <summary>Reads and locks the states of sensors, with what they are for; of those that are registered.</summary>
    public static Task<Dictionary<string, (SensorSetup Setup, SensorState State)>> LockAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, string[] sensors, CancellationToken cancellationToken) =>
        ReadAsync(new NpgsqlCommand($"""
            {Select} WHERE t.sensor = ANY($1) ORDER BY t.sensor FOR UPDATE OF t
            """, connection, transaction) { Parameters = { SqlParameter.Of(sensors) } }, cancellationToken);

    /// <summary>Reads and locks those of which nothing was heard since <paramref name="before"/> and nobody was told yet; what is locked is being heard of.</summary>
    public static Task<Dictionary<string, (SensorSetup Setup, SensorState State)>> LockSilentAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, DateTimeOffset before, int limit, CancellationToken cancellationToken) =>
        ReadAsync(new NpgsqlCommand($"""
            {Select} WHERE t.heard_at < $1 AND t.silence_alarm IS NULL ORDER BY t.sensor LIMIT $2 FOR UPDATE OF t SKIP LOCKED
            """, connection, transaction) { Parameters = { SqlParameter.Of(before), SqlParameter.Of(limit) } }, cancellationToken);

    /// <summary>Writes states that are locked, in one statement.</summary>
    public static async Task WriteAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, IReadOnlyList<SensorState> states, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("""
            UPDATE sensor_states t SET read_at = n.read_at, reported_at = n.reported_at, value = n.value, heard_at = n.heard_at, strikes = n.strikes,
              alarm = n.alarm, silence_alarm = n.silence_alarm
            FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS n(sensor, read_at, reported_at, value, heard_at, strikes, alarm, silence_alarm)
            WHERE t.sensor = n.sensor
            """, connection, transaction);
        Add(NpgsqlDbType.Text, state => state.Sensor);
        Add(NpgsqlDbType.TimestampTz, state => state.ReadAt);
        Add(NpgsqlDbType.TimestampTz, state => state.ReportedAt);
        Add(NpgsqlDbType.Double, state => state.Value);
        Add(NpgsqlDbType.TimestampTz, state => state.HeardAt);
        Add(NpgsqlDbType.Smallint, state => state.Strikes);
        Add(NpgsqlDbType.Uuid, state => state.Alarm);
        Add(NpgsqlDbType.Uuid, state => state.SilenceAlarm);
        await command.PrepareAsync(cancellationToken);
        await command.ExecuteNonQueryAsync(cancellationToken);

        void Add<T>(NpgsqlDbType type, Func<SensorState, T> column) => command.Parameters.Add(SqlParameter.Column(states, type, column));
    }

    private static async Task<Dictionary<string, (SensorSetup Setup, SensorState State)>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using (command)
        {
            await command.PrepareAsync(cancellationToken);
            var states = new Dictionary<string, (SensorSetup, SensorState)>(StringComparer.Ordinal);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                var state = new SensorState(reader.GetString(0), reader.ValueOrNull<DateTimeOffset>(1), reader.ValueOrNull<DateTimeOffset>(2), reader.ValueOrNull<double>(3), reader.ValueOrNull<DateTimeOffset>(4),
                    reader.GetInt16(5), reader.ValueOrNull<Guid>(6), reader.ValueOrNull<Guid>(7));
                var setup = new SensorSetup(Enum.Parse<SensorKind>(reader.GetString(8), ignoreCase: true), reader.TextOrNull(9),
                    reader.ValueOrNull<double>(10), reader.ValueOrNull<double>(11), reader.ValueOrNull<double>(12), reader.ValueOrNull<double>(13));
                states.Add(state.Sensor, (setup, state));
            }
            return states;
        }
    }
}
