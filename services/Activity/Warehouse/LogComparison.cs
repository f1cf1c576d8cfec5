using System.Diagnostics;
using Shop.Activity.StoringEvents;
using Shop.Contracts.Warehouse;
using Shop.Messaging.Consuming;
using Shop.Messaging.Streams;

namespace Shop.Activity.Warehouse;

/// <summary>What a partition is to the files that were written from it.</summary>
internal enum LogLikeness
{
    /// <summary>Their log, as far as can be told.</summary>
    Same,

    /// <summary>It lost its end, or is shorter than they are and cannot be told from one that was made anew; or the last of them was ended short, since it had lost its end then.</summary>
    Shorter,

    /// <summary>Another log, which was made anew.</summary>
    Another,
}

/// <summary>What partitions are to the files that were written from them.</summary>
/// <param name="Likeness">That, by partition.</param>
/// <param name="Known">The topics of which a record shows that they are those of the files: whatever a partition of theirs lacks, it lost.</param>
internal sealed record ComparedLogs(IReadOnlyDictionary<LogPartition, LogLikeness> Likeness, IReadOnlySet<string> Known);

/// <summary>
/// Compares partitions with the files that were written from them, by the newest record that both should have; where that differs, by the oldest: a log that
/// has lost its end and grown again still has the files' first records.
/// </summary>
internal static class LogComparison
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <exception cref="TimeoutException">The topics did not answer.</exception>
    public static async Task<ComparedLogs> CompareAsync(
        IWarehouse warehouse, LogReader reader, IReadOnlyList<LogPartition> partitions, ILookup<(string Topic, int Partition), WarehouseFile> files, CancellationToken cancellationToken)
    {
        var found = new Dictionary<LogPartition, LogLikeness>();
        Dictionary<(string Topic, int Partition), Probe> newest = [], oldest = [];
        foreach (var partition in partitions)
        {
            var key = (partition.Topic.Name, partition.Partition);
            var last = files[key].Select(file => file.Last).DefaultIfEmpty(-1).Max();
            found[partition] = last < partition.End ? LogLikeness.Same : LogLikeness.Shorter;
            if (ProbeAt(Math.Min(last, partition.End - 1)) is not { } probe)
                continue;
            newest.Add(key, probe);
            if (ProbeAt(Math.Max(partition.First, files[key].Min(file => file.First))) is { } first && first.Offset < probe.Offset)
                oldest.Add(key, first);

            Probe? ProbeAt(long offset) =>
                offset >= partition.First && files[key].FirstOrDefault(file => file.First <= offset && offset <= file.Last) is { } file ? new(partition, file, offset) : null;
        }
        var known = new HashSet<string>();
        var unlike = await UnlikeAsync(newest);
        foreach (var (key, likeness) in unlike)
            found[newest[key].Partition] = likeness;
        var maybe = oldest.Where(probe => unlike.ContainsKey(probe.Key)).ToDictionary();
        var unlikeFromTheFirst = await UnlikeAsync(maybe);
        foreach (var (key, probe) in maybe)
            found[probe.Partition] = unlikeFromTheFirst.GetValueOrDefault(key) == LogLikeness.Another ? LogLikeness.Another : LogLikeness.Shorter;
        return new(found, known);

        async Task<Dictionary<(string Topic, int Partition), LogLikeness>> UnlikeAsync(Dictionary<(string Topic, int Partition), Probe> probes)
        {
            var differing = new Dictionary<(string Topic, int Partition), LogLikeness>();
            await foreach (var record in FirstsAsync(reader, probes.ToDictionary(probe => probe.Key, probe => probe.Value.Offset), cancellationToken))
            {
                var (_, file, offset) = probes[(record.Topic, record.Partition)];
                // one that was compacted away tells nothing
                if (record.Offset != offset)
                    continue;
                // the log had not come so far when the file was ended: what is there now the file will never have
                if (await FileRows.FindAsync(warehouse, file, offset, cancellationToken) is not { } row)
                    differing.Add((record.Topic, record.Partition), LogLikeness.Shorter);
                else if (!AreSame(record, row))
                    differing.Add((record.Topic, record.Partition), LogLikeness.Another);
                // what has no id may be the same by chance
                else if (row.Id != Guid.Empty)
                    known.Add(record.Topic);
            }
            return differing;
        }
    }

    /// <summary>The first record of each partition from an offset on, where there is one.</summary>
    private static async IAsyncEnumerable<ConsumedRecord> FirstsAsync(
        LogReader reader, Dictionary<(string Topic, int Partition), long> open, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (open.Count == 0)
            yield break;
        var heardAt = Stopwatch.GetTimestamp();
        await foreach (var batch in reader.ReadAsync(open.Select(offset => (offset.Key.Topic, offset.Key.Partition, offset.Value)).ToList(), cancellationToken))
        {
            foreach (var record in batch)
            {
                if (open.Remove((record.Topic, record.Partition)))
                    yield return record;
            }
            foreach (var (partition, _) in open.Where(offset => reader.IsPassed(offset.Key, offset.Value + 1)).ToList())
                open.Remove(partition);
            if (open.Count == 0)
                yield break;
            if (batch.Count > 0 || reader.IsPassingOver)
                heardAt = Stopwatch.GetTimestamp();
            else if (Stopwatch.GetElapsedTime(heardAt) > Patience)
                throw new TimeoutException($"{open.Keys.First().Topic}[{open.Keys.First().Partition}] did not answer");
        }
    }

    /// <summary>A record to be compared with its row in a file.</summary>
    private sealed record Probe(LogPartition Partition, WarehouseFile File, long Offset);

    private static bool AreSame(ConsumedRecord record, (Guid Id, string? Data) row)
    {
        var id = RowBuffer.AttributesOf(record)?.Id ?? Guid.Empty;
        return id == row.Id && (id != Guid.Empty || StoredEvent.DataOf(record.Body).Data == row.Data);
    }
}
