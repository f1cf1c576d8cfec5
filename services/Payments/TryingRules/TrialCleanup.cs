using Npgsql;
using Shop.Messaging.Schema;
using Shop.Messaging.Workers;

namespace Shop.Payments.TryingRules;

/// <summary>Deletes what trials of rules have found when they ended long ago: each is some hundred rows. Who tried out which rules stays.</summary>
internal sealed class TrialCleanup(NpgsqlDataSource dataSource, TimeProvider time) : IPeriodicWorker
{
    /// <summary>How long what was found can be looked at.</summary>
    internal static readonly TimeSpan Kept = TimeSpan.FromDays(90);

    /// <inheritdoc/>
    public TimeSpan Interval => TimeSpan.FromHours(1);

    /// <inheritdoc/>
    public async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        var before = time.GetUtcNow() - Kept;
        await using var batch = dataSource.CreateBatch();
        foreach (var table in (string[])["shadow_decision_counts", "shadow_rule_counts", "shadow_examples"])
        {
            batch.BatchCommands.Add(new($"DELETE FROM {table} found USING shadow_rules rules WHERE rules.version = found.version AND rules.ended_at < $1")
            {
                Parameters = { SqlParameter.Of(before) },
            });
        }
        batch.BatchCommands.Add(new("DELETE FROM rule_replays WHERE ended_at < $1") { Parameters = { SqlParameter.Of(before) } });
        await batch.ExecuteNonQueryAsync(stoppingToken);
    }
}
