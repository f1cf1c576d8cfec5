using System.Text;
using Confluent.Kafka;
using Npgsql;
using NpgsqlTypes;

namespace Shop.Messaging;

/// <summary>A row of the outbox on its way to Kafka.</summary>
internal readonly record struct OutboxEvent(long Id, string Topic, string Key, CloudEvent Attributes, byte[] Body)
{
    private const string Columns = "id, topic, key, event_id, event_type, occurred_at, causation_id, trace_parent, scheduling_token, body";

    /// <summary>Reads the owned shards ($1) from the lowest id, without what is on its way ($2) and without the keys that a refused event holds back.</summary>
    /// <remarks><c>id &lt;&gt; ALL($2)</c> would compare every row with all of $2; the subquery is hashed once.</remarks>
    public static NpgsqlCommand ReadShards(NpgsqlConnection connection, int limit) => new($"""
        SELECT {Columns} FROM outbox
        WHERE shard = ANY($1) AND id NOT IN (SELECT unnest($2)) AND (topic, key) NOT IN (SELECT topic, key FROM refused_events)
        ORDER BY id LIMIT {limit}
        """, connection)
    {
        Parameters =
        {
            new NpgsqlParameter<short[]> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Smallint },
            new NpgsqlParameter<long[]> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
        },
    };

    /// <summary>Reads certain rows of the owned shards, in id order.</summary>
    public static NpgsqlCommand ReadIds(NpgsqlConnection connection, short[] shards, long[] ids) => new($"""
        SELECT {Columns} FROM outbox WHERE shard = ANY($1) AND id = ANY($2) ORDER BY id
        """, connection)
    {
        Parameters = { new NpgsqlParameter<short[]> { TypedValue = shards }, new NpgsqlParameter<long[]> { TypedValue = ids } },
    };

    /// <summary>The row under the reader.</summary>
    /// <param name="reader">Of one of the commands above.</param>
    /// <param name="source">The service, as the event's source.</param>
    public static OutboxEvent Read(NpgsqlDataReader reader, string source)
    {
        var key = reader.GetString(2);
        var attributes = new CloudEvent(reader.GetGuid(3), reader.GetString(4), source, reader.GetFieldValue<DateTimeOffset>(5), key,
            reader.IsDBNull(6) ? null : reader.GetGuid(6), reader.IsDBNull(7) ? null : reader.GetString(7),
            reader.IsDBNull(8) ? null : reader.GetGuid(8));
        return new(reader.GetInt64(0), reader.GetString(1), key, attributes, reader.GetFieldValue<byte[]>(9));
    }

    /// <summary>The record to produce, in the trace of <paramref name="traceParent"/>.</summary>
    public Message<byte[], byte[]> ToMessage(string? traceParent) => new()
    {
        Key = Encoding.UTF8.GetBytes(Key),
        Value = Body,
        Headers = (Attributes with { TraceParent = traceParent }).ToHeaders(),
        Timestamp = new Timestamp(Attributes.Time),
    };
}
