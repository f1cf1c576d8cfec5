using Npgsql;
using NpgsqlTypes;
using Shop.Activity.StoringEvents;
using Shop.Contracts;
using Shop.Messaging.Schema;

namespace Shop.Activity.RebuildingFeed;

/// <summary>The statements about a rebuild's own rows, on the connection that carries it out.</summary>
internal static class RebuildTable
{
    /// <summary>The rebuild that has not ended.</summary>
    public static async Task<Rebuild?> FindUnendedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT id, \"from\", state, events FROM rebuilds WHERE ended_at IS NULL", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? new() { Id = reader.GetGuid(0), From = reader.GetString(1), State = reader.GetString(2), Events = reader.GetInt64(3) } : null;
    }

    public static async Task<Positions> PositionsAsync(NpgsqlConnection connection, Guid rebuild, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT topic, partition, next_offset FROM rebuild_positions WHERE rebuild_id = $1", connection) { Parameters = { SqlParameter.Of(rebuild) } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var positions = new Positions();
        while (await reader.ReadAsync(cancellationToken))
            positions[(reader.GetString(0), reader.GetInt32(1))] = reader.GetInt64(2);
        return positions;
    }

    public static async Task InsertPositionsAsync(NpgsqlConnection connection, Guid rebuild, Positions positions, CancellationToken cancellationToken)
    {
        RebuildPosition[] rows = [.. positions.Of(rebuild)];
        await ExecuteAsync(connection, "INSERT INTO rebuild_positions (rebuild_id, topic, partition, next_offset) SELECT $1, * FROM unnest($2, $3, $4)", cancellationToken,
            SqlParameter.Of(rebuild), SqlParameter.Column(rows, NpgsqlDbType.Text, row => row.Topic), SqlParameter.Column(rows, NpgsqlDbType.Integer, row => row.Partition), SqlParameter.Column(rows, NpgsqlDbType.Bigint, row => row.NextOffset));
    }

    /// <summary>Takes over the live rows that lie before the positions.</summary>
    public static async Task CopyOlderAsync(NpgsqlConnection connection, Guid rebuild, CancellationToken cancellationToken)
    {
        await ExecuteAsync(connection, """
            WITH older AS (
              INSERT INTO shadow_events (event_id, type, topic, partition, record_offset, key, source, subject, at, causation_id, trace_parent, data, malformed)
              SELECT event_id, type, e.topic, e.partition, record_offset, key, source, subject, at, causation_id, trace_parent, data, malformed
              FROM events e LEFT JOIN rebuild_positions p ON p.rebuild_id = $1 AND p.topic = e.topic AND p.partition = e.partition
              WHERE record_offset < coalesce(p.next_offset, 9223372036854775807) ORDER BY position RETURNING 1)
            UPDATE rebuilds SET events = (SELECT count(*) FROM older) WHERE id = $1
            """, cancellationToken, SqlParameter.Of(rebuild));
        await ExecuteAsync(connection, "INSERT INTO shadow_orders SELECT * FROM orders", cancellationToken);
        await ExecuteAsync(connection, "INSERT INTO shadow_ordered_skus SELECT * FROM ordered_skus", cancellationToken);
        // what was redriven before it was copied, and what is read from the topics
        await ExecuteAsync(connection, $"DELETE FROM {ShadowTables.Unhandled} u USING shadow_events e WHERE e.topic = u.topic AND e.partition = u.partition AND e.record_offset = u.record_offset", cancellationToken);
        await ExecuteAsync(connection, $"""
            DELETE FROM {ShadowTables.Unhandled} u USING rebuild_positions p
            WHERE p.rebuild_id = $1 AND p.topic = u.topic AND p.partition = u.partition AND u.record_offset >= p.next_offset
            """, cancellationToken, SqlParameter.Of(rebuild));
        // they are few: not knowing that, the planner would have all events read for them while the feed waits
        await ExecuteAsync(connection, $"ANALYZE {ShadowTables.Unhandled}", cancellationToken);
    }

    /// <summary>
    /// Takes over what was redriven since, of the records that the rebuild does not read. A repetition that it has read, which the feed passed over since it
    /// knew the event from the letter, gives way to it.
    /// </summary>
    /// <returns>The events' ids.</returns>
    public static async Task<IReadOnlyList<Guid>> KeepRedrivenAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var kept = new List<Guid>();
        // the index of keys has no long ones
        foreach (var length in (string[])[$"<= {StoredEvent.LongestSearchedKey}", $"> {StoredEvent.LongestSearchedKey}"])
        {
            await using var command = new NpgsqlCommand($$"""
                WITH redriven AS (
                  DELETE FROM {{ShadowTables.Unhandled}} u USING events e
                  WHERE e.key = u.key AND e.topic = u.topic AND e.partition = u.partition AND e.record_offset = u.record_offset AND length(e.key) {{length}} AND length(u.key) {{length}}
                  RETURNING e.*),
                repeated AS (DELETE FROM shadow_events s USING redriven r WHERE s.key = r.key AND s.event_id = r.event_id AND length(s.key) {{length}}),
                ids AS (SELECT key::uuid AS order_id FROM redriven WHERE topic = $1 AND key ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
                owners AS (INSERT INTO shadow_orders SELECT * FROM orders WHERE order_id IN (SELECT order_id FROM ids) ON CONFLICT DO NOTHING),
                skus AS (INSERT INTO shadow_ordered_skus SELECT * FROM ordered_skus WHERE order_id IN (SELECT order_id FROM ids) ON CONFLICT DO NOTHING)
                INSERT INTO shadow_events (event_id, type, topic, partition, record_offset, key, source, subject, at, causation_id, trace_parent, data, malformed)
                SELECT event_id, type, topic, partition, record_offset, key, source, subject, at, causation_id, trace_parent, data, malformed FROM redriven ORDER BY position
                RETURNING event_id
                """, connection) { CommandTimeout = 0, Parameters = { SqlParameter.Of(Topics.Orders.Name) } };
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                kept.Add(reader.GetGuid(0));
        }
        return kept;
    }

    /// <summary>How many events there will be: what is there already and the <paramref name="ahead"/> that lie before the feed.</summary>
    public static Task SetOfAsync(NpgsqlConnection connection, Guid rebuild, long ahead, CancellationToken cancellationToken) =>
        ExecuteAsync(connection, "UPDATE rebuilds SET state = 'filling', \"of\" = events + $2 WHERE id = $1", cancellationToken, SqlParameter.Of(rebuild), SqlParameter.Of(ahead));

    /// <summary>Notes what is done now.</summary>
    /// <exception cref="RebuildCancelledException">An operator has cancelled it.</exception>
    public static async Task EnterAsync(NpgsqlConnection connection, Guid rebuild, string state, CancellationToken cancellationToken)
    {
        if (await ExecuteAsync(connection, "UPDATE rebuilds SET state = $2 WHERE id = $1 AND NOT cancel_requested", cancellationToken, SqlParameter.Of(rebuild), SqlParameter.Of(state)) == 0)
            throw new RebuildCancelledException();
    }

    public static Task AddSecondsAsync(NpgsqlConnection connection, Guid rebuild, double seconds, CancellationToken cancellationToken) =>
        ExecuteAsync(connection, "UPDATE rebuilds SET filling_seconds = filling_seconds + $2 WHERE id = $1", cancellationToken, SqlParameter.Of(rebuild), SqlParameter.Of(seconds));

    /// <exception cref="RebuildCancelledException">An operator has cancelled it.</exception>
    public static async Task ThrowIfCancelledAsync(NpgsqlConnection connection, Guid rebuild, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT cancel_requested FROM rebuilds WHERE id = $1", connection) { Parameters = { SqlParameter.Of(rebuild) } };
        if ((bool)(await command.ExecuteScalarAsync(cancellationToken))!)
            throw new RebuildCancelledException();
    }

    /// <summary>Ends it as done.</summary>
    /// <exception cref="RebuildCancelledException">An operator has cancelled it.</exception>
    public static async Task FinishAsync(NpgsqlConnection connection, Guid rebuild, CancellationToken cancellationToken)
    {
        if (await EndAsync(connection, rebuild, RebuildStates.Done, "AND NOT cancel_requested", cancellationToken) == 0)
            throw new RebuildCancelledException();
    }

    /// <summary>Ends it as cancelled.</summary>
    public static Task CancelAsync(NpgsqlConnection connection, Guid rebuild, CancellationToken cancellationToken) => EndAsync(connection, rebuild, RebuildStates.Cancelled, "", cancellationToken);

    private static Task<int> EndAsync(NpgsqlConnection connection, Guid rebuild, string state, string condition, CancellationToken cancellationToken) =>
        ExecuteAsync(connection, $"WITH gone AS (DELETE FROM rebuild_positions WHERE rebuild_id = $1) UPDATE rebuilds SET state = $2, ended_at = now() WHERE id = $1 {condition}", cancellationToken, SqlParameter.Of(rebuild), SqlParameter.Of(state));

    /// <summary>
    /// Compares the tables, row by row, as far as the shadow is; what differs is reported, and is what a rebuild is for. Orders of which there are events
    /// that the shadow does not have yet are left out.
    /// </summary>
    public static Task CompareAsync(NpgsqlConnection connection, Guid rebuild, CancellationToken cancellationToken) => ExecuteAsync(connection, """
        UPDATE rebuilds SET differences = (
          WITH by_partition AS (
            SELECT coalesce(o.topic, n.topic) AS topic, coalesce(o.partition, n.partition) AS partition,
              count(*) FILTER (WHERE n.event_id IS NULL) AS "onlyOld", count(*) FILTER (WHERE o.event_id IS NULL) AS "onlyNew",
              count(*) FILTER (WHERE o.event_id IS NOT NULL AND n.event_id IS NOT NULL) AS "changed"
            FROM (SELECT e.* FROM events e JOIN rebuild_positions p ON p.rebuild_id = $1 AND p.topic = e.topic AND p.partition = e.partition AND e.record_offset < p.next_offset) o
            FULL JOIN shadow_events n ON n.topic = o.topic AND n.partition = o.partition AND n.record_offset = o.record_offset
            WHERE o.event_id IS NULL OR n.event_id IS NULL
              OR (o.event_id, o.type, o.key, o.source, o.subject, o.at, o.causation_id, o.trace_parent, o.data::text, o.malformed)
                IS DISTINCT FROM (n.event_id, n.type, n.key, n.source, n.subject, n.at, n.causation_id, n.trace_parent, n.data::text, n.malformed)
            GROUP BY 1, 2),
          ahead AS MATERIALIZED (
            SELECT DISTINCT e.key FROM events e LEFT JOIN rebuild_positions p ON p.rebuild_id = $1 AND p.topic = e.topic AND p.partition = e.partition
            WHERE e.topic = $2 AND e.record_offset >= coalesce(p.next_offset, 0)),
          by_table AS (
            SELECT 'orders' AS "table", count(*) FILTER (WHERE n.order_id IS NULL) AS "onlyOld", count(*) FILTER (WHERE o.order_id IS NULL) AS "onlyNew",
              count(*) FILTER (WHERE o.shopper_id <> n.shopper_id) AS "changed"
            FROM (SELECT * FROM orders WHERE order_id::text NOT IN (SELECT key FROM ahead)) o
            FULL JOIN (SELECT * FROM shadow_orders WHERE order_id::text NOT IN (SELECT key FROM ahead)) n ON n.order_id = o.order_id
            UNION ALL
            SELECT 'ordered_skus', count(*) FILTER (WHERE n.order_id IS NULL), count(*) FILTER (WHERE o.order_id IS NULL), 0
            FROM (SELECT * FROM ordered_skus WHERE order_id::text NOT IN (SELECT key FROM ahead)) o
            FULL JOIN (SELECT * FROM shadow_ordered_skus WHERE order_id::text NOT IN (SELECT key FROM ahead)) n ON n.order_id = o.order_id AND n.sku = o.sku)
          SELECT coalesce(json_agg(difference ORDER BY rank, topic, partition), '[]') FROM (
            SELECT 0 AS rank, topic, partition, row_to_json(by_partition) AS difference FROM by_partition
            UNION ALL
            SELECT 1, "table", 0, row_to_json(by_table) FROM by_table WHERE "onlyOld" + "onlyNew" + "changed" > 0) found)
        WHERE id = $1
        """, cancellationToken, SqlParameter.Of(rebuild), SqlParameter.Of(Topics.Orders.Name));

    private static async Task<int> ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
