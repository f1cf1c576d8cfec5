using Npgsql;
using Shop.Messaging.Schema;
using Shop.Messaging.Workers;

namespace Shop.Payments.ScreeningPayments;

/// <summary>
/// Deletes the histories of keys that nobody remembers any more, in steps of a few rows, along the key: an index on the time would have to be
/// changed with each payment. Time is the payments' own, so that a service that was away for long forgets nothing that it still needs.
/// </summary>
internal sealed class HistoryCleanup(NpgsqlDataSource dataSource, TimeProvider time) : IPeriodicWorker
{
    private const int RowsPerStep = 5_000;

    /// <summary>How far partitions may be apart in the payments' time: what is forgotten for the newest payment may not be for the oldest that is still to come.</summary>
    internal static readonly TimeSpan Slack = TimeSpan.FromDays(7);

    /// <inheritdoc/>
    public TimeSpan Interval => TimeSpan.FromHours(1);

    /// <inheritdoc/>
    public async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        await using var newest = dataSource.CreateCommand("SELECT max(last_at) FROM screening_histories");
        if (await newest.ExecuteScalarAsync(stoppingToken) is not DateTime last)
            return;
        // a payment from the future must not end all memory
        var now = time.GetUtcNow();
        var before = (last < now.UtcDateTime ? new DateTimeOffset(last) : now) - History.Memory - Slack;
        for (Guid? after = Guid.Empty; after is not null;)
            after = await DeleteAsync(after.Value, before, stoppingToken);
    }

    /// <summary>Deletes the old ones of the next rows, except for those that are in use; the last key that was looked at, or null at the end.</summary>
    private async Task<Guid?> DeleteAsync(Guid after, DateTimeOffset before, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("""
            WITH step AS MATERIALIZED (SELECT key, last_at FROM screening_histories WHERE key > $1 ORDER BY key LIMIT $3),
              old AS MATERIALIZED (
                SELECT h.key FROM screening_histories h JOIN step ON step.key = h.key WHERE step.last_at < $2 AND h.last_at < $2 FOR UPDATE OF h SKIP LOCKED),
              gone AS (DELETE FROM screening_histories h USING old WHERE h.key = old.key)
            SELECT key FROM step ORDER BY key DESC LIMIT 1
            """);
        command.Parameters.Add(SqlParameter.Of(after));
        command.Parameters.Add(SqlParameter.Of(before));
        command.Parameters.Add(SqlParameter.Of(RowsPerStep));
        return (Guid?)await command.ExecuteScalarAsync(cancellationToken);
    }
}
