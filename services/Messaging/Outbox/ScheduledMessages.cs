using Npgsql;
using NpgsqlTypes;
using Shop.Messaging.Schema;

namespace Shop.Messaging.Outbox;

/// <summary>An event that is published later, unless it is cancelled.</summary>
/// <param name="Token">Cancels it.</param>
/// <param name="Due">When it moves to the outbox.</param>
/// <param name="Message">The event.</param>
internal readonly record struct ScheduledMessage(Guid Token, DateTimeOffset Due, OutboxMessage Message);

/// <summary>The statements of the <c>timeouts</c> table, where scheduled messages wait.</summary>
internal static class ScheduledMessages
{
    /// <summary>Inserts scheduled messages.</summary>
    public static NpgsqlBatchCommand Insert(IReadOnlyList<ScheduledMessage> messages)
    {
        var command = new NpgsqlBatchCommand("""
            INSERT INTO timeouts (shard, topic, key, event_id, event_type, causation_id, trace_parent, body, token, due_at)
            SELECT shard, topic, key, event_id, event_type, causation_id, trace_parent, body, token, due_at
            FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
              AS message(shard, topic, key, event_id, event_type, occurred_at, causation_id, trace_parent, body, token, due_at)
            """);
        OutboxTable.AddParameters(command, [.. messages.Select(scheduled => scheduled.Message)]);
        command.Parameters.Add(SqlParameter.Column(messages, NpgsqlDbType.Uuid, scheduled => scheduled.Token));
        command.Parameters.Add(SqlParameter.Column(messages, NpgsqlDbType.TimestampTz, scheduled => scheduled.Due));
        return command;
    }

    /// <summary>Deletes scheduled messages that became moot.</summary>
    public static NpgsqlBatchCommand Delete(IReadOnlyList<Guid> tokens) => new("DELETE FROM timeouts WHERE token = ANY($1)")
    {
        Parameters = { SqlParameter.Of<Guid[]>([.. tokens]) },
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
        Parameters = { SqlParameter.Of(now) },
    };
}
