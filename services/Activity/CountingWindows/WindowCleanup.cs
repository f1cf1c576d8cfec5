using Microsoft.Extensions.Options;
using Npgsql;
using Shop.Messaging.Operations;
using Shop.Messaging.Schema;
using Shop.Messaging.Workers;

namespace Shop.Activity.CountingWindows;

/// <summary>Deletes windows that are too old, orders that were never confirmed nor cancelled in that time, and the memory of events that come no more.</summary>
internal sealed class WindowCleanup(NpgsqlDataSource dataSource, IOptions<WindowOptions> options, IOptions<MessagingRetention> messaging, TimeProvider time) : IPeriodicWorker
{
    /// <inheritdoc/>
    public TimeSpan Interval => TimeSpan.FromHours(1);

    /// <inheritdoc/>
    public async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        await using var batch = dataSource.CreateBatch();
        var oldest = time.GetUtcNow() - options.Value.Retention;
        batch.BatchCommands.Add(new("DELETE FROM window_counts WHERE minute < $1") { Parameters = { SqlParameter.Of(oldest) } });
        batch.BatchCommands.Add(new("DELETE FROM open_orders WHERE opened_at < $1") { Parameters = { SqlParameter.Of(oldest) } });
        batch.BatchCommands.Add(new("DELETE FROM counted_events WHERE counted_at < $1") { Parameters = { SqlParameter.Of(time.GetUtcNow() - messaging.Value.Inbox) } });
        await batch.ExecuteNonQueryAsync(stoppingToken);
    }
}
