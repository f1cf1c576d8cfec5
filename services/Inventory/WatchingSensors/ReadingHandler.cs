using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Shop.Contracts;
using Shop.Inventory.Sensors;
using Shop.Messaging.Consuming;

namespace Shop.Inventory.WatchingSensors;

/// <summary>
/// Makes alarms of readings. State, alarms and offsets are one transaction; a reading that comes again, in whatever record, changes nothing, so
/// that no inbox has to remember thousands of them a second.
/// </summary>
internal sealed class ReadingHandler(InventoryDb db) : IRecordBatchHandler
{
    /// <summary>How long before a reading the stock may have changed and still be on the shelf: hands, networks and clocks take their time.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);

    private static readonly string Reported = Topics.SensorReadings.TryGetEvent(typeof(SensorReported), out var type) ? type.Name : "";

    /// <inheritdoc/>
    public async Task HandleAsync(IReadOnlyList<ConsumedRecord> records, CancellationToken cancellationToken)
    {
        var readings = records.Where(record => record.Event.Type == Reported)
            .Select(record => (Record: record, Reading: JsonSerializer.Deserialize(record.Body, ContractsJson.Default.SensorReported) ?? throw new JsonException("The event's data is null")))
            .ToList();
        var (connection, transaction) = ((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)db.Database.CurrentTransaction!.GetDbTransaction());
        var sensors = await SensorStates.LockAsync(connection, transaction, [.. readings.Select(reading => reading.Reading.Sensor).Distinct()], cancellationToken);
        if (sensors.Count == 0)
            return;
        var skus = sensors.Values.Select(sensor => sensor.Setup.Sku).OfType<string>().Distinct().ToArray();
        var levels = await StockLevels.ReadAsync(connection, transaction, skus, cancellationToken);
        foreach (var (record, reading) in readings)
        {
            // what is not registered any more has nobody to tell
            if (sensors.TryGetValue(reading.Sensor, out var sensor) && ValueOf(sensor.Setup, reading) is { } value)
                sensors[reading.Sensor] = (sensor.Setup, Watch(record, reading, value, sensor.Setup, sensor.State, levels));
        }
        await SensorStates.WriteAsync(connection, transaction, [.. sensors.Values.Select(sensor => sensor.State)], cancellationToken);
    }

    private static double? ValueOf(SensorSetup setup, SensorReported reading) => setup.Kind == SensorKind.Weight ? reading.WeightGrams : reading.Celsius;

    private SensorState Watch(ConsumedRecord record, SensorReported reading, double value, SensorSetup setup, SensorState state, StockLevels levels)
    {
        var arrivedAt = record.Timestamp;
        int? onHand = null;
        var (next, verdict) = SensorRules.OnReading(state, reading.At, arrivedAt, value, OpinionOf);
        if (state.SilenceAlarm is { } silence)
        {
            Publish(SensorAlarms.Heard(silence, reading.Sensor, $"a reading of {reading.At.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC", arrivedAt));
            next = next with { SilenceAlarm = null };
        }
        if (verdict == Verdict.Raise)
        {
            if (setup.Kind == SensorKind.Weight)
                Publish(new StockDiscrepancyDetected(setup.Sku!, reading.Sensor, onHand!.Value, SensorAlarms.PiecesOf(setup, value), value, reading.At));
            Publish(SensorAlarms.Raised(next.Alarm!.Value, reading.Sensor, setup, onHand, value, next.ReadAt!.Value));
        }
        else if (verdict == Verdict.Clear)
        {
            Publish(SensorAlarms.Cleared(state.Alarm!.Value, reading.Sensor, setup, onHand, value, next.ReadAt!.Value));
        }
        return next;

        Opinion OpinionOf()
        {
            if (setup.Kind == SensorKind.Temperature)
                return SensorRules.OfTemperature(value, setup.MinCelsius!.Value, setup.MaxCelsius!.Value);
            var readAt = reading.At < arrivedAt ? reading.At : arrivedAt;
            if (levels.Within(setup.Sku!, readAt - Settling, arrivedAt) is not var (fewest, most, now))
                return Opinion.Undecided;
            onHand = now;
            return SensorRules.OfWeight(value, setup.TareGrams!.Value, setup.UnitGrams!.Value, fewest, most);
        }

        void Publish(object @event) => db.Publish(@event, record.Event.Id, record.Event.TraceParent);
    }
}
