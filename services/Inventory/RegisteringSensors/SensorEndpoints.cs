using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Shop.Inventory.Sensors;
using Shop.Inventory.WatchingSensors;
using Shop.ServiceDefaults.Authentication;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Inventory.RegisteringSensors;

/// <summary>A sensor's key: it is told this once, and nobody can look it up.</summary>
/// <param name="Sensor">The sensor.</param>
/// <param name="Key">Its key, for <c>X-Device-Key</c>; null where it keeps the one it has.</param>
internal sealed record SensorAnswer(string Sensor, string? Key);

/// <summary><c>/api/ops/sensors</c>: operators register sensors, give them keys and take them away.</summary>
internal static class SensorEndpoints
{
    public static void MapRegisteringSensors(this IEndpointRouteBuilder app)
    {
        var sensors = app.MapGroup("/api/ops/sensors").RequireAuthorization(Policies.Operator);
        sensors.MapGet("", SensorList.GetPageAsync)
            .WithSummary("The sensors by name, with their last reading, and whether all is well.");
        sensors.MapPut("/{sensor}", PutAsync)
            .WithSummary("Registers a sensor and gives its key, or has one that is registered measure something else, with the key it has.")
            .WithRequestExample("""{"kind":"weight","sku":"mug-blue","unitGrams":350,"tareGrams":1200}""")
            .ProducesProblem(StatusCodes.Status409Conflict);
        sensors.MapPost("/{sensor}/key", PostKeyAsync)
            .WithSummary("Gives a sensor a new key; the one it had is no longer one.")
            .ProducesProblem(StatusCodes.Status404NotFound);
        sensors.MapDelete("/{sensor}", DeleteAsync)
            .WithSummary("Removes a sensor; its key is no longer one, and its alarms are over.")
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<Results<Created<SensorAnswer>, Ok<SensorAnswer>, ValidationProblem, ProblemHttpResult>> PutAsync(
        string sensor, SensorRequest request, InventoryDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        var errors = request.Validate(sensor);
        if (errors.Any)
            return errors.ToProblem();
        var (setup, now) = (request.ToSetup(), time.GetUtcNow());

        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // sensors are registered one at a time: two that want one name or one shelf see each other
        await db.Database.ExecuteSqlAsync($"LOCK TABLE sensors IN SHARE ROW EXCLUSIVE MODE", cancellationToken);
        if (setup.Sku is { } sku)
        {
            if (!await db.Products.AnyAsync(product => product.Sku == sku, cancellationToken))
            {
                errors.Add("sku", "There is no such product.");
                return errors.ToProblem();
            }
            if (await db.Sensors.Where(s => s.Sku == sku && s.Name != sensor).Select(s => s.Name).SingleOrDefaultAsync(cancellationToken) is { } other)
                return Stock.StockBookings.Refusal(StatusCodes.Status409Conflict, "sku", $"The sensor {other} weighs that product's shelf.");
        }
        string? key = null;
        if (await db.Sensors.SingleOrDefaultAsync(s => s.Name == sensor, cancellationToken) is { } registered)
        {
            if (registered.Setup != setup)
            {
                await EndAlarmsAsync(db, sensor, isRemoved: false, now, cancellationToken);
                registered.SetUp(setup);
            }
        }
        else
        {
            (key, var digest) = DeviceKeys.Create();
            db.Sensors.Add(new(sensor, setup, digest, now));
            db.SensorStates.Add(SensorState.Of(sensor));
        }
        await SaveAsync(db, sensor, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return key is null ? TypedResults.Ok(new SensorAnswer(sensor, null)) : TypedResults.Created((string?)null, new SensorAnswer(sensor, key));
    }

    private static async Task<Results<Ok<SensorAnswer>, ProblemHttpResult>> PostKeyAsync(string sensor, InventoryDb db, CancellationToken cancellationToken)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await LockAsync(db, sensor, cancellationToken) is not { } registered)
            return Unknown.Sensor(sensor);
        var (key, digest) = DeviceKeys.Create();
        registered.ChangeKey(digest);
        await SaveAsync(db, sensor, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return TypedResults.Ok(new SensorAnswer(sensor, key));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(string sensor, InventoryDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await LockAsync(db, sensor, cancellationToken) is not { } registered)
            return Unknown.Sensor(sensor);
        await EndAlarmsAsync(db, sensor, isRemoved: true, time.GetUtcNow(), cancellationToken);
        db.Sensors.Remove(registered);
        await SaveAsync(db, sensor, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<Sensor?> LockAsync(InventoryDb db, string sensor, CancellationToken cancellationToken)
    {
        // in the order of a registration, which has the table before its rows
        await db.Database.ExecuteSqlAsync($"LOCK TABLE sensors IN ROW EXCLUSIVE MODE", cancellationToken);
        return await db.Sensors.FromSql($"SELECT * FROM sensors WHERE name = {sensor} FOR UPDATE").SingleOrDefaultAsync(cancellationToken);
    }

    /// <summary>What was measured, and what was alarming about it, is no longer what counts; that nothing is heard of it counts until it is removed.</summary>
    private static async Task EndAlarmsAsync(InventoryDb db, string sensor, bool isRemoved, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (connection, transaction) = ((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)db.Database.CurrentTransaction!.GetDbTransaction());
        foreach (var (setup, state) in (await SensorStates.LockAsync(connection, transaction, [sensor], cancellationToken)).Values)
        {
            if (state.Alarm is { } alarm)
                db.Publish(SensorAlarms.SetUpAnew(alarm, sensor, setup, now));
            if (isRemoved && state.SilenceAlarm is { } silence)
                db.Publish(SensorAlarms.Heard(silence, sensor, "the sensor was removed", now));
            var next = isRemoved ? SensorState.Of(sensor) : SensorState.Of(sensor) with { HeardAt = state.HeardAt, SilenceAlarm = state.SilenceAlarm };
            await SensorStates.WriteAsync(connection, transaction, [next], cancellationToken);
        }
    }

    /// <summary>Saves, and tells every instance with the commit. So few sensors change that the lock which NOTIFY takes does not matter.</summary>
    private static async Task SaveAsync(InventoryDb db, string sensor, CancellationToken cancellationToken)
    {
        await db.SaveChangesAsync(cancellationToken);
        await db.Database.ExecuteSqlAsync($"SELECT pg_notify({SensorDirectory.Channel}, {sensor})", cancellationToken);
    }
}
