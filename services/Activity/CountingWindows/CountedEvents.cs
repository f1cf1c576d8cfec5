using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Npgsql;
using NpgsqlTypes;
using Shop.Messaging.Consuming;
using Shop.Messaging.Schema;

namespace Shop.Activity.CountingWindows;

/// <summary>
/// Which events were counted: an event that comes again, under another offset of its partition, is known by its id. Ids are kept by the time
/// at which they were made, packed, a row for each batch: a row for each event costs ten times as much as counting it. What is asked
/// for is kept in memory, too.
/// </summary>
/// <remarks>
/// Memory is believed for as long as the partition's row in <c>counted_logs</c> has the token that this instance has left there: where a
/// transaction was rolled back, or another instance has counted since, it is read anew. Whoever counts holds that row's lock until the commit.
/// </remarks>
internal sealed class CountedEvents
{
    /// <summary>Ids of one partition that stay in memory, 40 bytes each.</summary>
    internal const int MaxIds = 100_000;

    private readonly ConcurrentDictionary<LogName, CountedLog> _logs = new();

    /// <summary>The records whose events were never counted, in their order; those are counted now. Adds to <paramref name="writes"/> what has to be in the same transaction.</summary>
    public async Task<List<ConsumedRecord>> ClaimAsync(IReadOnlyList<ConsumedRecord> records, NpgsqlBatch reads, NpgsqlBatch writes, CancellationToken cancellationToken)
    {
        var byLog = records.GroupBy(record => new LogName(record.Topic, record.Partition)).OrderBy(log => log.Key.Topic, StringComparer.Ordinal).ThenBy(log => log.Key.Partition).ToArray();
        var tokens = await LockAsync([.. byLog.Select(log => log.Key)], reads, cancellationToken);
        var known = new Dictionary<LogName, CountedLog>(byLog.Length);
        var missing = new List<(LogName Log, DateTimeOffset Slot)>();
        foreach (var log in byLog)
        {
            // taken out until all has gone well: of what failed in between nothing is believed, and nobody else has it
            known[log.Key] = _logs.TryRemove(log.Key, out var memory) && memory.Token == tokens[log.Key] ? memory : new();
            missing.AddRange(log.Select(CountedLog.SlotOf).Distinct().Where(known[log.Key].Misses).Select(slot => (log.Key, slot)));
        }
        if (missing.Count > 0)
            await LoadAsync(missing, known, reads, cancellationToken);

        var token = Guid.CreateVersion7();
        var added = new List<(LogName Log, DateTimeOffset Slot, Guid[] Ids)>();
        var fresh = new HashSet<ConsumedRecord>(records.Count, ReferenceEqualityComparer.Instance);
        foreach (var log in byLog)
        {
            var memory = known[log.Key];
            foreach (var slot in log.GroupBy(CountedLog.SlotOf))
            {
                var first = slot.Where(record => memory.Add(slot.Key, record.Event.Id)).ToArray();
                fresh.UnionWith(first);
                if (first.Length > 0)
                    added.Add((log.Key, slot.Key, [.. first.Select(record => record.Event.Id)]));
            }
            memory.Token = token;
            memory.Shrink();
            _logs[log.Key] = memory;
        }
        AddWrites(writes, token, [.. byLog.Select(log => log.Key)], added);
        return fresh.Count == records.Count ? [.. records] : [.. records.Where(fresh.Contains)];
    }

    /// <summary>Locks the partitions' rows, until the end of the transaction.</summary>
    private static async Task<Dictionary<LogName, Guid?>> LockAsync(LogName[] logs, NpgsqlBatch batch, CancellationToken cancellationToken)
    {
        batch.BatchCommands.Clear();
        batch.BatchCommands.Add(new("INSERT INTO counted_logs (topic, partition) SELECT * FROM unnest($1, $2) ON CONFLICT DO NOTHING") { Parameters = { Topics(logs), Partitions(logs) } });
        // a statement of its own: it sees what the one before has waited for
        batch.BatchCommands.Add(new("""
            SELECT topic, partition, token FROM counted_logs JOIN unnest($1, $2) AS wanted(topic, partition) USING (topic, partition) ORDER BY topic, partition FOR UPDATE OF counted_logs
            """)
        { Parameters = { Topics(logs), Partitions(logs) } });
        var tokens = new Dictionary<LogName, Guid?>(logs.Length);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            tokens.Add(new(reader.GetString(0), reader.GetInt32(1)), reader.ValueOrNull<Guid>(2));
        return tokens;
    }

    /// <summary>Reads what was counted in slots of time that are not in memory, and up to where there are any.</summary>
    private static async Task LoadAsync(List<(LogName Log, DateTimeOffset Slot)> missing, Dictionary<LogName, CountedLog> known, NpgsqlBatch batch, CancellationToken cancellationToken)
    {
        LogName[] unknown = [.. missing.Select(slot => slot.Log).Distinct().Where(log => known[log].Latest is null)];
        batch.BatchCommands.Clear();
        batch.BatchCommands.Add(new("""
            SELECT wanted.topic, wanted.partition, latest.slot FROM unnest($1, $2) AS wanted(topic, partition),
              LATERAL (SELECT max(slot) AS slot FROM counted_events c WHERE c.topic = wanted.topic AND c.partition = wanted.partition) AS latest
            """)
        { Parameters = { Topics(unknown), Partitions(unknown) } });
        batch.BatchCommands.Add(new("SELECT topic, partition, slot, ids FROM counted_events JOIN unnest($1, $2, $3) AS wanted(topic, partition, slot) USING (topic, partition, slot)")
        {
            Parameters =
            {
                SqlParameter.Column(missing, NpgsqlDbType.Text, slot => slot.Log.Topic),
                SqlParameter.Column(missing, NpgsqlDbType.Integer, slot => slot.Log.Partition),
                SqlParameter.Column(missing, NpgsqlDbType.TimestampTz, slot => slot.Slot),
            },
        });
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            Log().Latest = reader.ValueOrNull<DateTimeOffset>(2) ?? DateTimeOffset.MinValue;
        foreach (var (log, slot) in missing)
            known[log].Expect(slot);
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            foreach (var id in MemoryMarshal.Cast<byte, Guid>(reader.GetFieldValue<byte[]>(3)))
                Log().Add(reader.GetFieldValue<DateTimeOffset>(2), id);
        }

        CountedLog Log() => known[new(reader.GetString(0), reader.GetInt32(1))];
    }

    private static void AddWrites(NpgsqlBatch batch, Guid token, LogName[] logs, List<(LogName Log, DateTimeOffset Slot, Guid[] Ids)> added)
    {
        batch.BatchCommands.Add(new("UPDATE counted_logs SET token = $3 FROM unnest($1, $2) AS counted(topic, partition) WHERE counted_logs.topic = counted.topic AND counted_logs.partition = counted.partition")
        {
            Parameters = { Topics(logs), Partitions(logs), SqlParameter.Of(token) },
        });
        if (added.Count == 0)
            return;
        batch.BatchCommands.Add(new("INSERT INTO counted_events (topic, partition, slot, token, ids) SELECT topic, partition, slot, $4, ids FROM unnest($1, $2, $3, $5) AS counted(topic, partition, slot, ids)")
        {
            Parameters =
            {
                SqlParameter.Column(added, NpgsqlDbType.Text, slot => slot.Log.Topic),
                SqlParameter.Column(added, NpgsqlDbType.Integer, slot => slot.Log.Partition),
                SqlParameter.Column(added, NpgsqlDbType.TimestampTz, slot => slot.Slot),
                SqlParameter.Of(token),
                SqlParameter.Column(added, NpgsqlDbType.Bytea, slot => MemoryMarshal.AsBytes(slot.Ids.AsSpan()).ToArray()),
            },
        });
    }

    private static NpgsqlParameter Topics(LogName[] logs) => SqlParameter.Column(logs, NpgsqlDbType.Text, log => log.Topic);

    private static NpgsqlParameter Partitions(LogName[] logs) => SqlParameter.Column(logs, NpgsqlDbType.Integer, log => log.Partition);

    /// <summary>A partition of a topic.</summary>
    private readonly record struct LogName(string Topic, int Partition);
}
