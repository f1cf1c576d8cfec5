using Npgsql;
using NpgsqlTypes;
using Shop.Messaging.Events;
using Shop.Messaging.Relay;
using Shop.Messaging.Schema;

namespace Shop.Messaging.Outbox;

/// <summary>The statements of the <c>outbox</c> table.</summary>
internal static class OutboxTable
{
    /// <summary>For a session that reads shards: prepared while the table is empty, the plan must still be right when it is not, along the primary key.</summary>
    public const string ReadSettings = """
        SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; SET max_parallel_workers_per_gather = 0;
        SET plan_cache_mode = force_generic_plan
        """;

    private const string Columns = "id, topic, key, event_id, event_type, occurred_at, causation_id, trace_parent, scheduling_token, body";

    /// <summary>Inserts messages in their order, so that within a transaction the ids follow it.</summary>
    public static NpgsqlBatchCommand Insert(IReadOnlyList<OutboxMessage> messages)
    {
        var command = new NpgsqlBatchCommand("""
            INSERT INTO outbox (shard, topic, key, event_id, event_type, occurred_at, causation_id, trace_parent, body)
            SELECT shard, topic, key, event_id, event_type, occurred_at, causation_id, trace_parent, body
            FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) WITH ORDINALITY
              AS message(shard, topic, key, event_id, event_type, occurred_at, causation_id, trace_parent, body, position)
            ORDER BY position
            """);
        AddParameters(command, messages);
        return command;
    }

    /// <summary>Adds the messages' columns as arrays: $1 shard to $9 body.</summary>
    public static void AddParameters(NpgsqlBatchCommand command, IReadOnlyList<OutboxMessage> messages)
    {
        Add(command, NpgsqlDbType.Smallint, messages, message => message.Shard);
        Add(command, NpgsqlDbType.Text, messages, message => message.Topic);
        Add(command, NpgsqlDbType.Text, messages, message => message.Key);
        Add(command, NpgsqlDbType.Uuid, messages, message => message.Event.Id);
        Add(command, NpgsqlDbType.Text, messages, message => message.Event.Type);
        Add(command, NpgsqlDbType.TimestampTz, messages, message => message.Event.Time);
        Add(command, NpgsqlDbType.Uuid, messages, message => message.Event.CausationId);
        Add(command, NpgsqlDbType.Text, messages, message => message.Event.TraceParent);
        Add(command, NpgsqlDbType.Bytea, messages, message => message.Body);
    }

    /// <summary>Reads the owned shards ($1) from the lowest id, without what is on its way ($2); <see cref="RefusedId"/> tells what holds a row back.</summary>
    /// <remarks><c>id &lt;&gt; ALL($2)</c> would compare every row with all of $2; the subquery is hashed once.</remarks>
    public static NpgsqlCommand ReadShards(NpgsqlConnection connection, int limit) => new($"""
        SELECT {Columns}, {HeldMessages.RefusedId} FROM outbox o
        WHERE shard = ANY($1) AND id NOT IN (SELECT unnest($2))
        ORDER BY id LIMIT {limit}
        """, connection)
    {
        Parameters =
        {
            new NpgsqlParameter<short[]> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Smallint },
            new NpgsqlParameter<long[]> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
        },
    };

    /// <summary>Reads certain messages of the owned shards, in id order.</summary>
    public static NpgsqlCommand ReadIds(NpgsqlConnection connection, short[] shards, long[] ids) => new($"""
        SELECT {Columns} FROM outbox WHERE shard = ANY($1) AND id = ANY($2) ORDER BY id
        """, connection)
    {
        Parameters = { SqlParameter.Of(shards), SqlParameter.Of(ids) },
    };

    /// <summary>The message under the reader.</summary>
    /// <param name="reader">Of one of the commands above.</param>
    /// <param name="source">The service, as the event's source.</param>
    public static OutboxMessage Read(NpgsqlDataReader reader, string source)
    {
        var key = reader.GetString(2);
        var attributes = new CloudEvent(reader.GetGuid(3), reader.GetString(4), source, reader.GetFieldValue<DateTimeOffset>(5), key,
            reader.ValueOrNull<Guid>(6), reader.TextOrNull(7), reader.ValueOrNull<Guid>(8));
        return new(reader.GetInt64(0), reader.GetString(1), key, attributes, reader.GetFieldValue<byte[]>(9));
    }

    /// <summary>The refused event that holds back the row under the reader of <see cref="ReadShards"/>; null where none does.</summary>
    public static long? RefusedId(NpgsqlDataReader reader) => reader.ValueOrNull<long>(10);

    private static void Add<TValue>(NpgsqlBatchCommand command, NpgsqlDbType type, IReadOnlyList<OutboxMessage> messages, Func<OutboxMessage, TValue> column) =>
        command.Parameters.Add(SqlParameter.Column(messages, type, column));
}
