using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;
using Shop.Contracts;
using Shop.Messaging.Schema;
using Shop.Messaging.Workers;

namespace Shop.Activity.IndexingLogs;

/// <summary>Clears alarms about errors that have ended.</summary>
internal sealed class ErrorAlarms(IServiceScopeFactory scopes, IOptions<LogOptions> options, TimeProvider time) : IPeriodicWorker
{
    /// <inheritdoc/>
    public TimeSpan Interval => TimeSpan.FromSeconds(1);

    /// <summary>What an alarm about errors is about.</summary>
    public static string SubjectOf(ErrorRate rate) => rate.EventName.Length == 0 ? rate.Service : $"{rate.Service}/{rate.EventName}";

    /// <summary>What should be.</summary>
    public static string Expected(LogOptions options) => $"fewer than {options.AlarmErrors} errors, each within {options.AlarmWindow.TotalSeconds:0} s of the one before";

    /// <inheritdoc/>
    public async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ActivityDb>();
        var oldest = time.GetUtcNow() - options.Value.ClearedAfter;
        if (!await db.ErrorRates.AnyAsync(rate => rate.AlarmId != null && rate.LastAt < oldest, stoppingToken))
            return;
        await using var transaction = await db.Database.BeginTransactionAsync(stoppingToken);
        // locked: another error may be counted at this moment
        var rates = await db.ErrorRates.FromSql($"SELECT * FROM error_rates WHERE alarm_id IS NOT NULL AND last_at < {oldest} ORDER BY service, event_name FOR UPDATE SKIP LOCKED").ToListAsync(stoppingToken);
        foreach (var rate in rates.Where(rate => rate.IsOver(options.Value, time.GetUtcNow())))
        {
            db.Publish(new AlarmCleared(rate.AlarmId!.Value, AlarmKinds.ErrorRate, rate.Service, SubjectOf(rate), Expected(options.Value), $"none since {rate.LastAt:u}, {rate.Errors} in all", rate.LastAt + options.Value.ClearedAfter));
            db.Entry(rate).CurrentValues.SetValues(rate with { AlarmId = null, Errors = 0 });
        }
        await db.SaveChangesAsync(stoppingToken);
        await transaction.CommitAsync(stoppingToken);
    }
}

/// <summary>Deletes lines that are too old, or too many, in small steps.</summary>
internal sealed class LogCleanup(NpgsqlDataSource dataSource, IOptions<LogOptions> options, TimeProvider time) : IPeriodicWorker
{
    private const int StepRows = 10_000, MaxSteps = 200;

    /// <inheritdoc/>
    public TimeSpan Interval => TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    public async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        for (var step = 0; step < MaxSteps; step++)
        {
            await using var command = dataSource.CreateCommand("""
                DELETE FROM log_lines WHERE position IN (
                  SELECT position FROM log_lines WHERE written_at < $1 OR position <= (SELECT max(position) FROM log_lines) - $2 ORDER BY position LIMIT $3)
                """);
            command.Parameters.Add(SqlParameter.Of(time.GetUtcNow() - options.Value.Retention));
            command.Parameters.Add(SqlParameter.Of(options.Value.MaxLines));
            command.Parameters.Add(SqlParameter.Of(StepRows));
            if (await command.ExecuteNonQueryAsync(stoppingToken) < StepRows)
                return;
        }
    }
}
