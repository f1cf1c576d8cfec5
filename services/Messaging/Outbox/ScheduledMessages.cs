using Npgsql;
using NpgsqlTypes;

namespace Shop.Messaging;

/// <summary>The statements of the <c>timeouts</c> table: events that are published later, unless they are cancelled.</summary>
internal static class TimeoutRows
{
    /// <summary>Inserts timeouts.</summary>
    public static NpgsqlBatchCommand Insert(IReadOnlyList<(Guid Token, DateTimeOffset Due, OutboxRow Row)> timeouts)
    {
        var command = new NpgsqlBatchCommand("""
            INSERT INTO timeouts (shard, topic, key, event_id, event_type, causation_id, trace_parent, body, token, due_at)
            SELECT shard, topic, key, event_id, event_type, causation_id, trace_parent, body, token, due_at
            FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
              AS row(shard, topic, key, event_id, event_type, occurred_at, causation_id, trace_parent, body, token, due_at)
            """);
        OutboxRow.AddParameters(command, [.. timeouts.Select(timeout => timeout.Row)]);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. timeouts.Select(timeout => timeout.Token)] });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset[]> { TypedValue = [.. timeouts.Select(timeout => timeout.Due)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz });
        return command;
    }

    /// <summary>Deletes timeouts that became moot.</summary>
    public static NpgsqlBatchCommand Delete(IReadOnlyList<Guid> tokens) => new("DELETE FROM timeouts WHERE token = ANY($1)")
    {
        Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = [.. tokens] } },
    };

    /// <summary>Moves what is due into the outbox, where it is relayed like any other event of its key.</summary>
    public static NpgsqlBatchCommand MoveDueToOutbox(DateTimeOffset now) => new("""
        WITH due AS (
          DELETE FROM timeouts WHERE token IN (
            SELECT token FROM timeouts WHERE due_at <= $1 ORDER BY due_at LIMIT 1000 FOR UPDATE SKIP LOCKED)
          RETURNING *)
        INSERT INTO outbox (shard, topic, key, event_id, event_type, occurred_at, causation_id, trace_parent, body, scheduling_token)
        SELECT shard, topic, key, event_id, event_type, $1, causation_id, trace_parent, body, token FROM due ORDER BY due_at
        """)
    {
        Parameters = { new NpgsqlParameter<DateTimeOffset> { TypedValue = now } },
    };
}
