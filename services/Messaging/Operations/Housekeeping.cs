using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Shop.Messaging.Schema;
using Shop.Messaging.Workers;

namespace Shop.Messaging.Operations;

/// <summary>
/// Deletes what is too old, in small steps that never hold a lock for long. Never what a redrive may need: the inbox's memory of a
/// dead letter, and of everything that came to an endpoint since the oldest of its parked records, stays.
/// </summary>
internal sealed partial class Housekeeping(NpgsqlDataSource dataSource, IOptions<MessagingRetention> retention, TimeProvider time, ILogger<Housekeeping> logger)
    : IPeriodicWorker
{
    private const int StepRows = 5_000;

    /// <inheritdoc/>
    public TimeSpan Interval => TimeSpan.FromMinutes(1);

    /// <summary>Deletes everything that is too old by now, however much that is: what comes faster than it goes would fill the disk.</summary>
    /// <returns>The number of rows.</returns>
    public async Task<int> CleanAsync(CancellationToken cancellationToken)
    {
        // the clocks of the service, which stamps parked records, and of the database, which stamps the inbox, may differ: hence the hour
        var deleted = await DeleteAsync("""
            DELETE FROM inbox WHERE ctid = ANY(ARRAY(
              SELECT ctid FROM inbox i WHERE received_at < $1
                AND NOT EXISTS (SELECT FROM dead_letters d WHERE d.endpoint = i.endpoint AND d.event_id = i.event_id AND d.status IN ('parked', 'redriving'))
                AND NOT EXISTS (SELECT FROM parked_records p WHERE p.endpoint = i.endpoint AND p.parked_at - interval '1 hour' <= i.received_at)
              LIMIT $2))
            """, retention.Value.Inbox, cancellationToken);
        deleted += await DeleteAsync("""
            DELETE FROM dead_letters WHERE ctid = ANY(ARRAY(
              SELECT ctid FROM dead_letters WHERE failed_at < $1 AND status IN ('redriven', 'discarded') LIMIT $2))
            """, retention.Value.DeadLetters, cancellationToken);
        deleted += await DeleteAsync("DELETE FROM redrives WHERE id = ANY(ARRAY(SELECT id FROM redrives WHERE ended_at < $1 LIMIT $2))", retention.Value.DeadLetters, cancellationToken);
        return deleted;
    }

    /// <inheritdoc/>
    public async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        var deleted = await CleanAsync(stoppingToken);
        if (deleted > 0)
            Cleaned(logger, deleted);
    }

    private async Task<int> DeleteAsync(string sql, TimeSpan age, CancellationToken cancellationToken)
    {
        var (deleted, before) = (0, time.GetUtcNow() - age);
        int rows;
        do
        {
            await using var command = dataSource.CreateCommand(sql);
            command.Parameters.Add(SqlParameter.Of(before));
            command.Parameters.Add(SqlParameter.Of(StepRows));
            rows = await command.ExecuteNonQueryAsync(cancellationToken);
            deleted += rows;
        }
        while (rows == StepRows);
        return deleted;
    }

    [LoggerMessage(EventName = "MessagingCleaned", Level = LogLevel.Information, Message = "Deleted {Count} rows that were too old")]
    private static partial void Cleaned(ILogger logger, int count);
}
