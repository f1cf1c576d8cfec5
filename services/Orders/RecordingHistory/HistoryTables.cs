using Npgsql;
using NpgsqlTypes;
using Shop.Messaging.Schema;

namespace Shop.Orders.RecordingHistory;

/// <summary>What the database knows of some orders: which events are in their histories, and which wait for their place.</summary>
/// <param name="Placed">Ids and types of the events that have a place, in any order.</param>
/// <param name="Waiting">The events that wait, and since when; in each topic's order.</param>
internal sealed record KnownEvents(ILookup<Guid, (Guid Id, string Type)> Placed, IReadOnlyList<(OrderEvent Event, DateTimeOffset Since)> Waiting);

/// <summary>The set-based statements of the tables <c>order_events</c> and <c>order_events_waiting</c>, on the caller's transaction.</summary>
internal sealed class HistoryTables(NpgsqlConnection connection, NpgsqlTransaction? transaction)
{
    /// <summary>First half of the advisory locks' key: "hist" in ASCII.</summary>
    private const int LockClass = 0x68697374;

    /// <summary>
    /// Reads what is known of the orders, whose records all lie in partitions of the number <paramref name="partition"/>. Until the
    /// transaction ends nobody else may: places are given by counting, and a redrive or a consumer that lost its partition may be at it, too.
    /// </summary>
    public async Task<KnownEvents> LockAndReadAsync(int partition, Guid[] orderIds, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(new("SELECT pg_advisory_xact_lock($1, $2)") { Parameters = { SqlParameter.Of(LockClass), SqlParameter.Of(partition) } });
        batch.BatchCommands.Add(new("SELECT order_id, event_id, type FROM order_events WHERE order_id = ANY($1)") { Parameters = { SqlParameter.Of(orderIds) } });
        batch.BatchCommands.Add(new("""
            SELECT order_id, event_id, type, topic, partition, record_offset, at, causation_id, data, waiting_since
            FROM order_events_waiting WHERE order_id = ANY($1) ORDER BY topic, record_offset
            """)
        { Parameters = { SqlParameter.Of(orderIds) } });

        var placed = new List<(Guid OrderId, Guid Id, string Type)>();
        var waiting = new List<(OrderEvent, DateTimeOffset)>();
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            placed.Add((reader.GetGuid(0), reader.GetGuid(1), reader.GetString(2)));
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            waiting.Add((Read(reader), reader.GetFieldValue<DateTimeOffset>(9)));
        return new(placed.ToLookup(e => e.OrderId, e => (e.Id, e.Type)), waiting);
    }

    /// <summary>Adds <paramref name="placed"/> to the histories, where they wait no longer, and lets <paramref name="waiting"/> wait.</summary>
    public async Task WriteAsync(IReadOnlyList<OrderEvent> placed, IReadOnlyList<OrderEvent> waiting, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        if (placed.Count > 0)
        {
            batch.BatchCommands.Add(Insert("""
                INSERT INTO order_events (order_id, event_id, type, topic, partition, record_offset, at, causation_id, data, sequence)
                SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                """, placed, SqlParameter.Column(placed, NpgsqlDbType.Integer, e => e.Sequence)));
            batch.BatchCommands.Add(new("DELETE FROM order_events_waiting WHERE event_id = ANY($1)") { Parameters = { SqlParameter.Column(placed, NpgsqlDbType.Uuid, e => e.EventId) } });
        }
        if (waiting.Count > 0)
        {
            batch.BatchCommands.Add(Insert("""
                INSERT INTO order_events_waiting (order_id, event_id, type, topic, partition, record_offset, at, causation_id, data, waiting_since)
                SELECT *, $10 FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING
                """, waiting, SqlParameter.Of(now)));
        }
        if (batch.BatchCommands.Count > 0)
            await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The orders, each with its partition's number, in which an event waits since before <paramref name="before"/>.</summary>
    public async Task<List<(int Partition, Guid OrderId)>> OverdueAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT DISTINCT partition, order_id FROM order_events_waiting WHERE waiting_since < $1 ORDER BY 1, 2 LIMIT $2", connection, transaction)
        {
            Parameters = { SqlParameter.Of(before), SqlParameter.Of(limit) },
        };
        var orders = new List<(int, Guid)>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            orders.Add((reader.GetInt32(0), reader.GetGuid(1)));
        return orders;
    }

    /// <summary>The event under the reader, whose first columns are its own, from <c>order_id</c> to <c>data</c>.</summary>
    public static OrderEvent Read(NpgsqlDataReader reader) => new()
    {
        OrderId = reader.GetGuid(0),
        EventId = reader.GetGuid(1),
        Type = reader.GetString(2),
        Topic = reader.GetString(3),
        Partition = reader.GetInt32(4),
        Offset = reader.GetInt64(5),
        At = reader.GetFieldValue<DateTimeOffset>(6),
        CausationId = reader.ValueOrNull<Guid>(7),
        Data = reader.GetString(8),
    };

    private static NpgsqlBatchCommand Insert(string sql, IReadOnlyList<OrderEvent> events, NpgsqlParameter last) => new(sql)
    {
        Parameters =
        {
            SqlParameter.Column(events, NpgsqlDbType.Uuid, e => e.OrderId),
            SqlParameter.Column(events, NpgsqlDbType.Uuid, e => e.EventId),
            SqlParameter.Column(events, NpgsqlDbType.Text, e => e.Type),
            SqlParameter.Column(events, NpgsqlDbType.Text, e => e.Topic),
            SqlParameter.Column(events, NpgsqlDbType.Integer, e => e.Partition),
            SqlParameter.Column(events, NpgsqlDbType.Bigint, e => e.Offset),
            SqlParameter.Column(events, NpgsqlDbType.TimestampTz, e => e.At),
            SqlParameter.Column(events, NpgsqlDbType.Uuid, e => e.CausationId),
            SqlParameter.Column(events, NpgsqlDbType.Json, e => e.Data),
            last,
        },
    };
}
