using Npgsql;
using Shop.Messaging.Schema;

namespace Shop.Messaging.Operations;

/// <summary>Counts what waits in a service's database.</summary>
internal static class WaitingMessages
{
    /// <summary>Dead letters that wait for an operator, by consumer group.</summary>
    public const string DeadLettersByEndpoint = "SELECT endpoint, count(*)::float8 FROM dead_letters WHERE status IN ('parked', 'redriving') GROUP BY endpoint";

    /// <summary>Records that wait behind a dead letter, by consumer group.</summary>
    public const string ParkedByEndpoint = "SELECT endpoint, count(*)::float8 FROM parked_records GROUP BY endpoint";

    /// <summary>What the outbox holds, the age of its oldest event in seconds, what the broker refused, and timeouts that are scheduled.</summary>
    public static async Task<(double Depth, double OldestSeconds, double Refused, double Timeouts)> OutboxAsync(NpgsqlDataSource dataSource, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("""
            SELECT ((SELECT count(*) FROM outbox) + (SELECT count(*) FROM held_messages))::float8,
              coalesce((SELECT extract(epoch FROM $1 - min(occurred_at)) FROM (
                (SELECT occurred_at FROM outbox ORDER BY id LIMIT 1) UNION ALL (SELECT occurred_at FROM held_messages ORDER BY id LIMIT 1)) oldest), 0)::float8,
              (SELECT count(*) FROM refused_events)::float8, (SELECT count(*) FROM timeouts)::float8
            """);
        command.Parameters.Add(SqlParameter.Of(now));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetDouble(0), reader.GetDouble(1), reader.GetDouble(2), reader.GetDouble(3));
    }

    /// <summary>The rows of a statement that counts by a name; a name that is <paramref name="known"/> and has no row counts zero.</summary>
    public static async Task<Dictionary<string, double>> CountAsync(NpgsqlDataSource dataSource, string sql, IEnumerable<string> known, CancellationToken cancellationToken)
    {
        var counts = known.ToDictionary(value => value, _ => 0.0);
        await using var command = dataSource.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            counts[reader.GetString(0)] = reader.GetDouble(1);
        return counts;
    }
}
