using Npgsql;
using NpgsqlTypes;

namespace Shop.Messaging;

/// <summary>An event that waits to be produced.</summary>
internal sealed record OutboxRow(string Topic, string Key, Guid EventId, string EventType, DateTimeOffset OccurredAt,
    Guid? CausationId, string? TraceParent, byte[] Body)
{
    /// <summary>The largest event: a broker's default limit of 1 MiB for a record batch, less room for headers.</summary>
    public const int MaxBodyBytes = 960 * 1024;

    /// <summary>Shards of the outbox; each is relayed by one instance at a time, so they bound how many can share the work.</summary>
    public const int Shards = 16;

    /// <summary>The shard of <see cref="Key"/>.</summary>
    public short Shard => ShardOf(Key);

    /// <summary>FNV-1a over the key's UTF-16 units: stable across processes and versions, unlike string.GetHashCode.</summary>
    public static short ShardOf(string key)
    {
        var hash = 2166136261u;
        foreach (var unit in key)
            hash = (hash ^ unit) * 16777619u;
        return (short)(hash % Shards);
    }

    /// <summary>Inserts rows in their order, so that within a transaction the ids follow it.</summary>
    public static NpgsqlBatchCommand Insert(IReadOnlyList<OutboxRow> rows)
    {
        var command = new NpgsqlBatchCommand("""
            INSERT INTO outbox (shard, topic, key, event_id, event_type, occurred_at, causation_id, trace_parent, body)
            SELECT shard, topic, key, event_id, event_type, occurred_at, causation_id, trace_parent, body
            FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) WITH ORDINALITY
              AS row(shard, topic, key, event_id, event_type, occurred_at, causation_id, trace_parent, body, position)
            ORDER BY position
            """);
        AddParameters(command, rows);
        return command;
    }

    /// <summary>Adds the rows' columns as arrays: $1 shard to $9 body.</summary>
    public static void AddParameters(NpgsqlBatchCommand command, IReadOnlyList<OutboxRow> rows)
    {
        Add(command, NpgsqlDbType.Smallint, rows, row => row.Shard);
        Add(command, NpgsqlDbType.Text, rows, row => row.Topic);
        Add(command, NpgsqlDbType.Text, rows, row => row.Key);
        Add(command, NpgsqlDbType.Uuid, rows, row => row.EventId);
        Add(command, NpgsqlDbType.Text, rows, row => row.EventType);
        Add(command, NpgsqlDbType.TimestampTz, rows, row => row.OccurredAt);
        Add(command, NpgsqlDbType.Uuid, rows, row => row.CausationId);
        Add(command, NpgsqlDbType.Text, rows, row => row.TraceParent);
        Add(command, NpgsqlDbType.Bytea, rows, row => row.Body);
    }

    private static void Add<TValue>(NpgsqlBatchCommand command, NpgsqlDbType type, IReadOnlyList<OutboxRow> rows, Func<OutboxRow, TValue> column)
    {
        var values = new TValue[rows.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = column(rows[i]);
        command.Parameters.Add(new NpgsqlParameter<TValue[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type });
    }
}
