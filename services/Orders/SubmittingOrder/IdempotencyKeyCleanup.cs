using Microsoft.Extensions.Options;
using Npgsql;
using Shop.Messaging.Schema;
using Shop.Messaging.Workers;

namespace Shop.Orders.SubmittingOrder;

/// <summary>
/// Deletes idempotency keys that have expired, oldest first and in short transactions. Instances share the work: none waits for a row that
/// another is deleting, or that a submission is about to replace.
/// </summary>
internal sealed class IdempotencyKeyCleanup(NpgsqlDataSource dataSource, IOptions<IdempotencyKeyOptions> options, TimeProvider time) : IPeriodicWorker
{
    private const int KeysPerStep = 1_000;

    /// <summary>With a round each minute enough for 1,600 orders/s on each instance; a backlog of more is worked off over the rounds.</summary>
    private const int StepsPerRound = 100;

    /// <inheritdoc/>
    public TimeSpan Interval => options.Value.CleanupInterval;

    /// <inheritdoc/>
    public async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        var expiredBefore = time.GetUtcNow() - options.Value.Lifetime;
        for (var step = 0; step < StepsPerRound && await DeleteAsync(expiredBefore, stoppingToken) == KeysPerStep; step++)
        {
        }
    }

    private async Task<int> DeleteAsync(DateTimeOffset expiredBefore, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("""
            DELETE FROM idempotency_keys USING (
              SELECT shopper_id, key FROM idempotency_keys WHERE created_at <= $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED) expired
            WHERE idempotency_keys.shopper_id = expired.shopper_id AND idempotency_keys.key = expired.key
            """);
        command.Parameters.Add(SqlParameter.Of(expiredBefore));
        command.Parameters.Add(SqlParameter.Of(KeysPerStep));
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
