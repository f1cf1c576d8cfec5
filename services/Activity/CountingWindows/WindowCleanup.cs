using Microsoft.Extensions.Options;
using Npgsql;
using Shop.Messaging.Schema;
using Shop.Messaging.Workers;

namespace Shop.Activity.CountingWindows;

/// <summary>Deletes windows that are too old, and orders that were never confirmed nor cancelled in that time.</summary>
internal sealed class WindowCleanup(NpgsqlDataSource dataSource, IOptions<WindowOptions> options, TimeProvider time) : IPeriodicWorker
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
        await batch.ExecuteNonQueryAsync(stoppingToken);
    }
}
