using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Shop.Inventory.Sensors;
using Shop.ServiceDefaults;

namespace Shop.Inventory.RegisteringSensors;

/// <summary>A reading, as it was sent.</summary>
internal sealed record LastReading(DateTimeOffset At, double? WeightGrams, double? Celsius);

/// <summary>A sensor in the list.</summary>
/// <param name="Sensor">Its name.</param>
/// <param name="Kind">What it measures.</param>
/// <param name="Sku">The product on its shelf.</param>
/// <param name="UnitGrams">What a piece weighs.</param>
/// <param name="TareGrams">What the empty shelf weighs.</param>
/// <param name="MinCelsius">The lowest temperature that is right.</param>
/// <param name="MaxCelsius">The highest.</param>
/// <param name="State"><c>waiting</c> for its first reading, <c>ok</c>, <c>alarm</c> about what it measures, or <c>silent</c>.</param>
/// <param name="LastReading">Its newest reading.</param>
/// <param name="HeardAt">When something last arrived from it.</param>
internal sealed record SensorItem(string Sensor, SensorKind Kind, string? Sku, double? UnitGrams, double? TareGrams, double? MinCelsius, double? MaxCelsius,
    string State, LastReading? LastReading, DateTimeOffset? HeardAt);

/// <summary><c>GET /api/ops/sensors</c>.</summary>
internal static class SensorList
{
    private const int DefaultLimit = 100, MaxLimit = 1000;

    public static async Task<Results<Ok<Page<SensorItem>>, ValidationProblem>> GetPageAsync(
        string? after, InventoryDb db, CancellationToken cancellationToken, int limit = DefaultLimit)
    {
        var errors = new ValidationErrors();
        errors.CheckLimit(limit, MaxLimit);
        if (errors.Any)
            return errors.ToProblem();
        var sensors = from sensor in db.Sensors.AsNoTracking()
                      join state in db.SensorStates.AsNoTracking() on sensor.Name equals state.Sensor
                      where string.Compare(sensor.Name, after ?? "") > 0
                      orderby sensor.Name
                      select new { Sensor = sensor, State = state };
        var found = await sensors.Take(limit + 1).ToListAsync(cancellationToken);
        return TypedResults.Ok(found.ToPage(limit, item => item.Sensor.Name, item => ItemOf(item.Sensor, item.State)));
    }

    /// <summary>What it sends is too old to be judged: its clock is behind, or it only sends again what it could not.</summary>
    private static bool IsLate(WatchingSensors.SensorState state) => state.HeardAt - state.ReadAt > WatchingSensors.SensorRules.Latest;

    private static SensorItem ItemOf(Sensor sensor, WatchingSensors.SensorState state)
    {
        var setup = sensor.Setup;
        var reading = state is { ReportedAt: { } at, Value: { } value }
            ? setup.Kind == SensorKind.Weight ? new LastReading(at, value, null) : new LastReading(at, null, value)
            : null;
        var says = state.SilenceAlarm is not null ? "silent" : state.Alarm is not null ? "alarm" : state.HeardAt is null ? "waiting" : IsLate(state) ? "late" : "ok";
        return new(sensor.Name, setup.Kind, setup.Sku, setup.UnitGrams, setup.TareGrams, setup.MinCelsius, setup.MaxCelsius, says, reading, state.HeardAt);
    }
}
