using Npgsql;
using NpgsqlTypes;
using Shop.Messaging.Schema;

namespace Shop.Messaging.DeadLetters;

/// <summary>Which of the dead letters that wait are redriven: those to which all applies that is said; all, where nothing is.</summary>
/// <param name="Topic">The topic they were read from.</param>
/// <param name="EventType">Their events' type, for example <c>shop.orders.order-submitted.v1</c>.</param>
/// <param name="ErrorType">What was thrown, for example <c>System.TimeoutException</c>: what a dead letter's <c>error</c> begins with.</param>
public sealed record RedriveSelection(string? Topic = null, string? EventType = null, string? ErrorType = null);

/// <summary>A redrive of many dead letters, and how far it is.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Selection">What is redriven.</param>
/// <param name="Status"><c>running</c> or <c>completed</c>.</param>
/// <param name="Total">Dead letters that it found when it was asked for.</param>
/// <param name="Redriven">Those of them that are done, with everything that was parked behind them.</param>
/// <param name="Failed">Those of them that failed again, that cannot be read, or behind which a record failed: that is a dead letter, and its key stays parked.</param>
/// <param name="StartedAt">When it was asked for.</param>
/// <param name="EndedAt">When the last of them was done.</param>
public sealed record RedriveView(Guid Id, RedriveSelection Selection, string Status, long Total, long Redriven, long Failed, DateTimeOffset StartedAt, DateTimeOffset? EndedAt);

/// <summary>
/// The statements of the <c>redrives</c> table. A redrive is a row, so that whichever instance is there goes on with it: it names the
/// dead letter that is played next, before it is played, and one after the other is looked for by id up to the last that there was.
/// </summary>
internal static class Redrives
{
    private const string Columns = "id, topic, event_type, error_type, total, redriven, failed, started_at, ended_at";

    /// <summary>A dead letter <c>d</c> that waits and is one of the redrive <c>r</c>.</summary>
    private const string Selected = """
        d.status IN ('parked', 'redriving') AND (r.topic IS NULL OR d.topic = r.topic) AND (r.event_type IS NULL OR d.event_type = r.event_type)
        AND (r.error_type IS NULL OR d.error_type = r.error_type)
        """;

    /// <summary>Begins a redrive; one that finds nothing has ended at once.</summary>
    public static async Task<RedriveView> BeginAsync(NpgsqlDataSource dataSource, RedriveSelection selection, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand($"""
            WITH r AS MATERIALIZED (SELECT $2::text AS topic, $3::text AS event_type, $4::text AS error_type),
            first AS (SELECT d.id FROM dead_letters d, r WHERE {Selected} ORDER BY d.id LIMIT 1),
            last AS (SELECT d.id FROM dead_letters d, r WHERE {Selected} ORDER BY d.id DESC LIMIT 1),
            total AS (SELECT count(*) AS total FROM dead_letters d, r WHERE {Selected})
            INSERT INTO redrives (id, topic, event_type, error_type, total, next_letter, last_letter, redriven, failed, started_at, ended_at)
            SELECT $1, $2, $3, $4, total, (SELECT id FROM first), (SELECT id FROM last), 0, 0, $5, CASE WHEN total = 0 THEN $5 END FROM total
            RETURNING {Columns}
            """);
        command.Parameters.Add(SqlParameter.Of(Guid.CreateVersion7(now)));
        command.Parameters.Add(SqlParameter.Of(selection.Topic, NpgsqlDbType.Text));
        command.Parameters.Add(SqlParameter.Of(selection.EventType, NpgsqlDbType.Text));
        command.Parameters.Add(SqlParameter.Of(selection.ErrorType, NpgsqlDbType.Text));
        command.Parameters.Add(SqlParameter.Of(now));
        return (await ReadAsync(command, cancellationToken))!;
    }

    /// <summary>The redrive, or null where there is none.</summary>
    public static async Task<RedriveView?> FindAsync(NpgsqlDataSource dataSource, Guid id, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand($"SELECT {Columns} FROM redrives WHERE id = $1");
        command.Parameters.Add(SqlParameter.Of(id));
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>The oldest redrive that has not ended and that no other instance is at, and its next dead letter; locked until the transaction ends.</summary>
    public static async Task<(Guid Id, Guid Letter)?> ClaimAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT id, next_letter FROM redrives WHERE ended_at IS NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED", connection, transaction);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? (reader.GetGuid(0), reader.GetGuid(1)) : null;
    }

    /// <summary>Counts the dead letter that was next, and names the one after it; without one the redrive has ended.</summary>
    public static async Task AdvanceAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, bool failed, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"""
            WITH following AS (
              SELECT d.id FROM dead_letters d, redrives r WHERE r.id = $1 AND d.id > r.next_letter AND d.id <= r.last_letter AND {Selected} ORDER BY d.id LIMIT 1)
            UPDATE redrives SET redriven = redriven + CASE WHEN $2 THEN 0 ELSE 1 END, failed = failed + CASE WHEN $2 THEN 1 ELSE 0 END,
              next_letter = (SELECT id FROM following), ended_at = CASE WHEN EXISTS (SELECT FROM following) THEN NULL ELSE $3 END
            WHERE id = $1
            """, connection, transaction)
        {
            Parameters = { SqlParameter.Of(id), SqlParameter.Of(failed), SqlParameter.Of(now) },
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<RedriveView?> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        var selection = new RedriveSelection(reader.TextOrNull(1), reader.TextOrNull(2), reader.TextOrNull(3));
        var endedAt = reader.ValueOrNull<DateTimeOffset>(8);
        return new(reader.GetGuid(0), selection, endedAt is null ? "running" : "completed", reader.GetInt64(4), reader.GetInt64(5), reader.GetInt64(6),
            reader.GetFieldValue<DateTimeOffset>(7), endedAt);
    }
}
