using Microsoft.Extensions.Options;
using Npgsql;
using Shop.Messaging.Operations;
using Shop.Messaging.Schema;
using Shop.Messaging.Workers;

namespace Shop.Activity.CountingWindows;

/// <summary>
/// Deletes windows that are too old, orders that were never confirmed nor cancelled in that time, and the memory of events that come no more:
/// in steps that never take long.
/// </summary>
internal sealed class WindowCleanup(NpgsqlDataSource dataSource, IOptions<WindowOptions> options, IOptions<MessagingRetention> messaging, TimeProvider time) : IPeriodicWorker
{
    private const int Step = 5_000;

    /// <inheritdoc/>
    public TimeSpan Interval => TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    public async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        await DeleteAsync("window_counts", "minute < $1", options.Value.Retention, stoppingToken);
        await DeleteAsync("open_orders", "opened_at < $1", options.Value.Retention, stoppingToken);
        // what is parked may be an event that was counted before it came again
        await DeleteAsync("counted_events", "counted_at < least($1, (SELECT min(parked_at) FROM parked_records WHERE endpoint = 'activity.windows') - $3)", messaging.Value.Inbox, stoppingToken);
    }

    private async Task DeleteAsync(string table, string condition, TimeSpan retention, CancellationToken cancellationToken)
    {
        int deleted;
        do
        {
            await using var command = dataSource.CreateCommand($"DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE {condition} LIMIT $2))");
            command.Parameters.Add(SqlParameter.Of(time.GetUtcNow() - retention));
            command.Parameters.Add(SqlParameter.Of(Step));
            command.Parameters.Add(SqlParameter.Of(retention));
            deleted = await command.ExecuteNonQueryAsync(cancellationToken);
        }
        while (deleted == Step);
    }
}
