using Npgsql;
using Shop.Messaging.Events;
using Shop.Messaging.Schema;

namespace Shop.Messaging.Relay;

/// <summary>
/// The statements of the <c>held_messages</c> table: what a refused event holds back is moved out of the outbox, where each read of the
/// relay would go over it, and comes back, at its old place, when an operator lets it go.
/// </summary>
internal static class HeldMessages
{
    private const string Columns = "id, shard, topic, key, event_id, event_type, occurred_at, causation_id, trace_parent, scheduling_token, body";

    /// <summary>
    /// In a read of the outbox <c>o</c>: the refused event that holds the row back, or null. Looked up in an index, and not at all while nothing
    /// is refused; the limit keeps it from becoming a scan of all that is refused, which may be much.
    /// </summary>
    public static readonly string RefusedId = $"""
        CASE WHEN (SELECT EXISTS (SELECT FROM refused_events)) THEN
          (SELECT outbox_id FROM refused_events WHERE topic = o.topic AND key_digest = {KeyDigest.Sql.Replace("key,", "o.key,", StringComparison.Ordinal)} LIMIT 1) END
        """;

    /// <summary>Refused events behind an id ($1), so many ($2), each with its event and the number of those that wait behind it: a page of them, looked up in indexes.</summary>
    public const string ListRefused = """
        SELECT outbox_id, topic, key, event_id, event_type, error, refused_at, body,
          (SELECT count(*) FROM held_messages behind WHERE behind.refused_id = outbox_id AND behind.id <> outbox_id)
        FROM refused_events CROSS JOIN LATERAL (
          SELECT event_id, event_type, body FROM outbox WHERE id = outbox_id UNION ALL SELECT event_id, event_type, body FROM held_messages WHERE id = outbox_id) message
        WHERE outbox_id > $1 ORDER BY outbox_id LIMIT $2
        """;

    /// <summary>Moves rows out of the outbox, each behind the refused event that holds it back, unless an operator has let that one go meanwhile.</summary>
    public static async Task MoveFromOutboxAsync(NpgsqlConnection connection, List<(long Id, long RefusedId)> held, CancellationToken cancellationToken)
    {
        await using var move = new NpgsqlCommand($"""
            WITH refused AS MATERIALIZED (SELECT outbox_id FROM refused_events WHERE outbox_id = ANY($2) FOR KEY SHARE),
            moved AS (
              DELETE FROM outbox USING unnest($1, $2) AS held(message_id, refused_id)
              WHERE id = message_id AND refused_id IN (SELECT outbox_id FROM refused)
              RETURNING {Columns}, refused_id)
            INSERT INTO held_messages ({Columns}, refused_id) SELECT {Columns}, refused_id FROM moved
            """, connection)
        {
            Parameters = { SqlParameter.Of(held.ConvertAll(row => row.Id)), SqlParameter.Of(held.ConvertAll(row => row.RefusedId)) },
        };
        await move.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Ends a refusal: what it held back is in the outbox again, all of it at once; with <paramref name="discard"/> without the refused event itself.</summary>
    /// <returns>False where there is no such refused event.</returns>
    public static async Task<bool> ReleaseAsync(NpgsqlDataSource dataSource, long refusedId, bool discard, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var release = new NpgsqlBatch(connection, transaction);
        // first the lock, for which relays at work are waited for; the statements behind it then see all that they moved
        release.BatchCommands.Add(new("SELECT FROM refused_events WHERE outbox_id = $1 FOR UPDATE") { Parameters = { SqlParameter.Of(refusedId) } });
        if (discard)
        {
            release.BatchCommands.Add(new("""
                WITH refused AS (SELECT outbox_id FROM refused_events WHERE outbox_id = $1), held AS (DELETE FROM held_messages WHERE id = $1)
                DELETE FROM outbox WHERE id IN (SELECT outbox_id FROM refused)
                """)
            { Parameters = { SqlParameter.Of(refusedId) } });
        }
        release.BatchCommands.Add(new($"""
            WITH held AS (DELETE FROM held_messages WHERE refused_id = $1 RETURNING {Columns})
            INSERT INTO outbox ({Columns}) OVERRIDING SYSTEM VALUE SELECT {Columns} FROM held
            """)
        { Parameters = { SqlParameter.Of(refusedId) } });
        var delete = new NpgsqlBatchCommand("DELETE FROM refused_events WHERE outbox_id = $1") { Parameters = { SqlParameter.Of(refusedId) } };
        release.BatchCommands.Add(delete);
        await release.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return delete.RecordsAffected > 0;
    }
}
