using Confluent.Kafka;
using Npgsql;
using NpgsqlTypes;
using Shop.Messaging.DeadLetters;
using Shop.Messaging.Events;
using Shop.Messaging.Schema;

namespace Shop.Messaging.Consuming;

/// <summary>The set-based statements of a batch's transaction: offsets, inbox, parked keys and dead letters.</summary>
internal sealed class BatchStore(NpgsqlConnection connection, NpgsqlTransaction transaction, string endpoint, bool remembers = true)
{
    /// <summary>
    /// Moves the offsets, notes the records in the inbox and queues those whose key is parked: in one round trip where nothing is.
    /// </summary>
    /// <returns>The records of <paramref name="handled"/> that are to be handled now, in their order.</returns>
    /// <exception cref="FencedException">An offset is not where this consumer left it.</exception>
    public async Task<List<ConsumedRecord>> ClaimAsync(List<QueuedRecord> records, List<ConsumedRecord> handled, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        var partitions = AddMoveOffsets(batch, records);
        if (handled.Count > 0)
        {
            if (remembers)
                AddInbox(batch, [.. handled.Select(record => record.Event.Id)]);
            AddAnyParked(batch);
        }
        // parsing and planning is most of what these cost where a batch is one record; what they search (offsets, dead letters) stays small
        await batch.PrepareAsync(cancellationToken);
        var fresh = new HashSet<Guid>();
        var anyParked = false;
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            var moved = 0;
            while (await reader.ReadAsync(cancellationToken))
                moved++;
            if (moved != partitions)
                throw new FencedException();
            if (remembers && handled.Count > 0)
            {
                await reader.NextResultAsync(cancellationToken);
                while (await reader.ReadAsync(cancellationToken))
                    fresh.Add(reader.GetGuid(0));
            }
            if (handled.Count > 0)
                anyParked = await reader.NextResultAsync(cancellationToken) && await reader.ReadAsync(cancellationToken);
        }
        var firsts = remembers ? handled.Where(record => fresh.Remove(record.Event.Id)).ToList() : handled;
        if (!anyParked)
            return firsts;
        var parkedKeys = await FindParkedKeysAsync([.. handled.Select(record => record.Key).Distinct()], cancellationToken);
        var parked = firsts.Where(record => parkedKeys.Contains(record.Key)).ToList();
        await ParkAsync(remembers ? parked : await RememberAsync(parked, cancellationToken), now, cancellationToken);
        return [.. firsts.Where(record => !parkedKeys.Contains(record.Key))];
    }

    /// <summary>
    /// Moves the offset over a record that cannot be handled and keeps it as a dead letter, which parks its key; where the key is parked
    /// already (a record that cannot even be read gets this far) it queues behind the others.
    /// </summary>
    /// <exception cref="FencedException">The offset is not where this consumer left it.</exception>
    public async Task DeadLetterAsync(QueuedRecord queued, Exception failure, DateTimeOffset now, CancellationToken cancellationToken)
    {
        bool parked;
        await using (var claim = new NpgsqlBatch(connection, transaction))
        {
            AddMoveOffsets(claim, [queued]);
            AddParkedKeys(claim, [queued.Record.Key]);
            await using var reader = await claim.ExecuteReaderAsync(cancellationToken);
            if (!await reader.ReadAsync(cancellationToken))
                throw new FencedException();
            await reader.NextResultAsync(cancellationToken);
            parked = (await ReadParkedKeysAsync(reader, cancellationToken)).Count > 0;
        }
        // one that comes again is done with, whatever became of the first
        if ((await RememberAsync([queued.Record], cancellationToken)).Count == 0)
            return;
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(parked ? Park(queued.Record, now) : DeadLetter.From(queued.Record, endpoint, failure, now).Insert());
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Notes in the inbox records that become dead letters or are parked. Of an endpoint without a memory it has no others.</summary>
    /// <returns>Those that were not noted before, and those without an id to be known by, in their order.</returns>
    private async Task<List<ConsumedRecord>> RememberAsync(List<ConsumedRecord> records, CancellationToken cancellationToken)
    {
        Guid[] ids = [.. records.Select(IdOf).OfType<Guid>()];
        if (ids.Length == 0)
            return records;
        await using var batch = new NpgsqlBatch(connection, transaction);
        AddInbox(batch, ids);
        var fresh = new HashSet<Guid>();
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            fresh.Add(reader.GetGuid(0));
        return [.. records.Where(record => IdOf(record) is not { } id || fresh.Remove(id))];
    }

    private static Guid? IdOf(ConsumedRecord record)
    {
        try
        {
            return record.Event.Id;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>The offset row of a partition; made, at <paramref name="first"/>, where the endpoint sees the partition for the first time.</summary>
    public static async Task<LogPosition> LoadPositionAsync(NpgsqlConnection connection, string endpoint, TopicPartition partition, long first, CancellationToken cancellationToken)
    {
        await using var insert = new NpgsqlCommand("INSERT INTO consumer_offsets (endpoint, topic, partition, next_offset) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", connection)
        {
            Parameters = { SqlParameter.Of(endpoint), SqlParameter.Of(partition.Topic), SqlParameter.Of(partition.Partition.Value), SqlParameter.Of(first) },
        };
        await insert.ExecuteNonQueryAsync(cancellationToken);
        return (await FindPositionAsync(connection, endpoint, partition, cancellationToken))!;
    }

    /// <summary>The offset row of a partition; null where there is none.</summary>
    public static async Task<LogPosition?> FindPositionAsync(NpgsqlConnection connection, string endpoint, TopicPartition partition, CancellationToken cancellationToken)
    {
        await using var find = new NpgsqlCommand("SELECT next_offset, last_record FROM consumer_offsets WHERE endpoint = $1 AND topic = $2 AND partition = $3", connection)
        {
            Parameters = { SqlParameter.Of(endpoint), SqlParameter.Of(partition.Topic), SqlParameter.Of(partition.Partition.Value) },
        };
        await using var reader = await find.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        var next = reader.GetInt64(0);
        // an instance of a version that knows no fingerprints moves the offset alone: what it leaves is that of another record
        var lastRecord = reader.BytesOrNull(1);
        return new(next, lastRecord is not null && ConsumedRecord.OffsetOf(lastRecord) == next - 1 ? lastRecord : null);
    }

    /// <summary>Sets a partition's offset row, in another log than before, unless somebody else has moved it.</summary>
    public static async Task MoveOffsetAsync(NpgsqlConnection connection, string endpoint, TopicPartition partition, long expected, long next, CancellationToken cancellationToken)
    {
        await using var move = new NpgsqlCommand("UPDATE consumer_offsets SET next_offset = $5, last_record = NULL WHERE endpoint = $1 AND topic = $2 AND partition = $3 AND next_offset = $4", connection)
        {
            Parameters =
            {
                SqlParameter.Of(endpoint), SqlParameter.Of(partition.Topic), SqlParameter.Of(partition.Partition.Value), SqlParameter.Of(expected), SqlParameter.Of(next),
            },
        };
        await move.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Compare-and-set of every partition's offset row: the fence against a consumer that lost its partition without knowing.</summary>
    /// <returns>The number of partitions, each of which must give one row.</returns>
    private int AddMoveOffsets(NpgsqlBatch batch, List<QueuedRecord> records)
    {
        var partitions = records.GroupBy(queued => queued.Assignment).Select(group => (group.Key, Last: group.MaxBy(queued => queued.Record.Offset).Record)).ToList();
        batch.BatchCommands.Add(new("""
            UPDATE consumer_offsets SET next_offset = moved.next, last_record = moved.last_record
            FROM unnest($2, $3, $4, $5, $6) AS moved(topic, partition, expected, next, last_record)
            WHERE consumer_offsets.endpoint = $1 AND consumer_offsets.topic = moved.topic AND consumer_offsets.partition = moved.partition
              AND consumer_offsets.next_offset = moved.expected
            RETURNING 1
            """)
        {
            Parameters =
            {
                SqlParameter.Of(endpoint),
                SqlParameter.Of<string[]>([.. partitions.Select(partition => partition.Key.Partition.Topic)]),
                SqlParameter.Of<int[]>([.. partitions.Select(partition => partition.Key.Partition.Partition.Value)]),
                SqlParameter.Of<long[]>([.. partitions.Select(partition => partition.Key.Position!.Next)]),
                SqlParameter.Of<long[]>([.. partitions.Select(partition => partition.Last.Offset + 1)]),
                SqlParameter.Of<byte[][]>([.. partitions.Select(partition => partition.Last.Fingerprint())]),
            },
        });
        return partitions.Count;
    }

    private void AddInbox(NpgsqlBatch batch, Guid[] ids) =>
        batch.BatchCommands.Add(new("INSERT INTO inbox (event_id, endpoint) SELECT id, $1 FROM unnest($2) AS id ORDER BY id ON CONFLICT DO NOTHING RETURNING event_id")
        {
            Parameters = { SqlParameter.Of(endpoint), SqlParameter.Of(ids) },
        });

    /// <summary>
    /// Whether anything is parked: mostly nothing is, and then no key need be looked for. A key is parked by its own lane, or by a redrive,
    /// which ends a dead letter and makes another in one transaction: there is one before and after.
    /// </summary>
    private void AddAnyParked(NpgsqlBatch batch) =>
        batch.BatchCommands.Add(new("SELECT 1 FROM dead_letters WHERE endpoint = $1 AND status IN ('parked', 'redriving') LIMIT 1") { Parameters = { SqlParameter.Of(endpoint) } });

    private async Task<HashSet<string>> FindParkedKeysAsync(string[] keys, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        AddParkedKeys(batch, keys);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        return await ReadParkedKeysAsync(reader, cancellationToken);
    }

    /// <summary>
    /// The parked ones among the keys, under shared locks: a redrive that empties a key's queue waits for the batch that adds to it. The
    /// first statement waits for redrives at work. One that fails ends its dead letter and makes another, which a statement that
    /// began before cannot see, so a second one reads again; it must not wait (a transient error), or it would be no wiser.
    /// </summary>
    private void AddParkedKeys(NpgsqlBatch batch, string[] keys)
    {
        const string Parked = "SELECT key FROM dead_letters WHERE endpoint = $1 AND key_digest = ANY($2) AND status IN ('parked', 'redriving') FOR SHARE";
        var digests = KeyDigest.Of(keys);
        batch.BatchCommands.Add(new(Parked) { Parameters = { SqlParameter.Of(endpoint), SqlParameter.Of(digests) } });
        batch.BatchCommands.Add(new($"{Parked} NOWAIT") { Parameters = { SqlParameter.Of(endpoint), SqlParameter.Of(digests) } });
    }

    /// <summary>Reads what <see cref="AddParkedKeys"/> asked for; the reader is at the first of its two results.</summary>
    private static async Task<HashSet<string>> ReadParkedKeysAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        await reader.NextResultAsync(cancellationToken);
        var keys = new HashSet<string>();
        while (await reader.ReadAsync(cancellationToken))
            keys.Add(reader.GetString(0));
        return keys;
    }

    private async Task ParkAsync(List<ConsumedRecord> records, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        foreach (var record in records)
            batch.BatchCommands.Add(Park(record, now));
        if (records.Count > 0)
            await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private NpgsqlBatchCommand Park(ConsumedRecord record, DateTimeOffset now) => new("""
        INSERT INTO parked_records (endpoint, topic, partition, record_offset, key, headers, body, parked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """)
    {
        Parameters =
        {
            SqlParameter.Of(endpoint), SqlParameter.Of(record.Topic), SqlParameter.Of(record.Partition), SqlParameter.Of(record.Offset), SqlParameter.Of(record.Key),
            SqlParameter.Of(StoredHeaders.Write(record.Headers), NpgsqlDbType.Jsonb), SqlParameter.Of(record.Body, NpgsqlDbType.Bytea), SqlParameter.Of(now),
        },
    };
}
