using Npgsql;
using Shop.Messaging.Schema;

namespace Shop.Messaging.DeadLetters;

/// <summary>For a service that brings about what an endpoint's records do by itself, out of the topics or an archive of them.</summary>
public static class AppliedRecords
{
    /// <summary>Notes where the records lie that an endpoint is past and has not handled: its dead letters, and what is parked behind them.</summary>
    /// <param name="connection">To the service's database; in a transaction where there is one.</param>
    /// <param name="endpoint">The endpoint, <c>service.name</c>.</param>
    /// <param name="table">Where they are noted, an SQL identifier; it has the columns <c>topic</c>, <c>partition</c>, <c>record_offset</c> and <c>key</c>.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task NoteUnhandledAsync(NpgsqlConnection connection, string endpoint, string table, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"""
            INSERT INTO {table} (topic, partition, record_offset, key)
            SELECT topic, partition, record_offset, key FROM dead_letters WHERE endpoint = $1 AND status = 'parked'
            UNION ALL SELECT topic, partition, record_offset, key FROM parked_records WHERE endpoint = $1
            """, connection)
        {
            Parameters = { SqlParameter.Of(endpoint) },
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Ends an endpoint's dead letters and parked records whose effect is there: played, they would have it twice. Where only the letter itself has had
    /// its effect, it stays for those behind it. An event's effect is there too where it came again, at another place, since the inbox knew it from its letter.
    /// </summary>
    /// <param name="connection">To the service's database, in the transaction in which the effects become the endpoint's.</param>
    /// <param name="endpoint">The endpoint, <c>service.name</c>.</param>
    /// <param name="records">A table of the records whose effect is there, an SQL identifier; it has the columns <c>topic</c>, <c>partition</c>, <c>record_offset</c>, <c>key</c> and <c>event_id</c>.</param>
    /// <param name="longestIndexedKey">An index of it has the keys that are no longer, in characters.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task EndDeadLettersAsync(NpgsqlConnection connection, string endpoint, string records, int longestIndexedKey, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection) { Timeout = 0 };
        // in the order of a redrive: letters first
        Add("SELECT FROM dead_letters WHERE endpoint = $1 AND status IN ('parked', 'redriving') ORDER BY id FOR UPDATE");
        // by their places first: mostly those are all
        Add($"""
            DELETE FROM parked_records p USING {records} e
            WHERE p.endpoint = $1 AND e.topic = p.topic AND e.partition = p.partition AND e.record_offset = p.record_offset
            """);
        foreach (var length in (string[])[$"<= {longestIndexedKey}", $"> {longestIndexedKey}"])
        {
            // a parked record's id is in its headers, of which StoredHeaders keeps the bytes: the last one, as CloudEvent reads it; where none waits, no record is looked at
            Add($$"""
                WITH waiting AS MATERIALIZED (
                  SELECT p.id, p.key, CASE WHEN ce_id ~ '^([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$' THEN ce_id::uuid END AS event_id
                  FROM parked_records p CROSS JOIN LATERAL (
                    SELECT encode(decode(header ->> 'value', 'base64'), 'escape') AS ce_id FROM jsonb_array_elements(p.headers) WITH ORDINALITY AS headers(header, number)
                    WHERE header ->> 'name' = 'ce_id' AND header ->> 'value' IS NOT NULL ORDER BY number DESC LIMIT 1) AS last
                  WHERE p.endpoint = $1 AND length(p.key) {{length}}),
                there AS MATERIALIZED (
                  SELECT key, event_id FROM {{records}} WHERE EXISTS (SELECT FROM waiting) AND length(key) {{length}} AND key IN (SELECT key FROM waiting))
                DELETE FROM parked_records p USING waiting w JOIN there t ON t.key = w.key AND t.event_id = w.event_id WHERE p.id = w.id
                """);
            Add($"""
                UPDATE dead_letters d SET status = 'redriving' FROM {records} e
                WHERE d.endpoint = $1 AND d.status = 'parked' AND e.key = d.key AND e.event_id = d.event_id AND length(e.key) {length} AND length(d.key) {length}
                  AND EXISTS (SELECT FROM dead_letters WHERE endpoint = $1 AND status = 'parked' AND length(key) {length})
                """);
        }
        Add($"""
            UPDATE dead_letters d SET status = CASE
              WHEN EXISTS (SELECT FROM parked_records p WHERE p.endpoint = d.endpoint AND p.key_digest = d.key_digest) THEN 'redriving' WHEN discarded THEN 'discarded' ELSE 'redriven' END
            WHERE endpoint = $1 AND (status = 'redriving' OR status = 'parked'
              AND EXISTS (SELECT FROM {records} e WHERE e.topic = d.topic AND e.partition = d.partition AND e.record_offset = d.record_offset))
            """);
        await batch.ExecuteNonQueryAsync(cancellationToken);

        void Add(string sql) => batch.BatchCommands.Add(new(sql) { Parameters = { SqlParameter.Of(endpoint) } });
    }
}
