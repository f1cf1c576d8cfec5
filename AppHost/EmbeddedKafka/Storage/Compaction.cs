using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Shop.KafkaBroker;

/// <summary>
/// One pass of compaction over the sealed segments of a log: the latest offset of each key is noted, then the segments
/// are written anew without the records that a later one replaced, and without tombstones that every reader has had time
/// to see. Neighbours that became small are joined. What was decided is on disk before anything is deleted, so that a
/// process killed at any point leaves a log that is whole.
/// </summary>
internal sealed class Compaction(Disk disk, string directory, long tombstonesBefore) : IDisposable
{
    /// <summary>How many keys a pass takes up: what bounds its memory. A log with more is compacted in several passes.</summary>
    private const int MaxKeys = 500_000;

    private const string UnfinishedDirectory = "cleaning";
    private const string FinishedPrefix = "cleaned-";
    private readonly Dictionary<UInt128, long> _latest = [];
    private readonly ResponseWriter _scratch = new();
    private readonly string _unfinished = Path.Combine(directory, UnfinishedDirectory);

    /// <summary>The offset that this pass came to.</summary>
    public long EndOffset { get; private set; }

    /// <summary>Completes or takes back what a killed process left; before the log is opened.</summary>
    public static void Recover(string directory)
    {
        foreach (var path in Directory.GetDirectories(directory))
        {
            var name = Path.GetFileName(path);
            if (name.StartsWith(FinishedPrefix, StringComparison.Ordinal) && Directory.GetFiles(path, "*.log") is [var log])
            {
                var (from, to) = (Segment.OffsetIn(log), long.Parse(name[FinishedPrefix.Length..], CultureInfo.InvariantCulture));
                foreach (var replaced in Directory.GetFiles(directory, "*.log").Where(file => Segment.OffsetIn(file) >= from && Segment.OffsetIn(file) < to))
                {
                    File.Delete(Path.ChangeExtension(replaced, ".index"));
                    File.Delete(replaced);
                }
                MoveIn(path, directory);
            }
            else
            {
                Directory.Delete(path, recursive: true);
            }
        }
    }

    /// <summary>Notes the latest offset of every key from an offset on.</summary>
    /// <exception cref="DamagedLogException">A batch is damaged: which keys it has nobody knows.</exception>
    public void ReadKeys(IEnumerable<Segment> segments, long from)
    {
        foreach (var segment in segments)
        {
            EndOffset = segment.NextOffset;
            if (segment.NextOffset <= from)
                continue;
            segment.VisitWhole(segment.TryFind(from, out var range) ? range.Position : 0, (batch, _) =>
            {
                foreach (var record in Records.Parse(batch, _scratch, out var records) ?? [])
                {
                    if (record.KeyLength >= 0)
                        _latest[Hash(records.Slice(record.KeyStart, record.KeyLength))] = RecordBatch.BaseOffset(batch) + record.OffsetDelta;
                }
                EndOffset = RecordBatch.LastOffset(batch) + 1;
                return _latest.Count < MaxKeys;
            });
            if (_latest.Count >= MaxKeys)
                return;
        }
    }

    /// <summary>Writes segments anew, as many as fit into one, and returns how many those were.</summary>
    /// <exception cref="DamagedLogException">A batch is damaged; with a new checksum nobody would notice any more.</exception>
    public int Write(IReadOnlyList<Segment> segments, long segmentBytes)
    {
        if (Directory.Exists(_unfinished))
            Directory.Delete(_unfinished, recursive: true);
        Directory.CreateDirectory(_unfinished);
        using var output = Segment.Create(disk, _unfinished, segments[0].BaseOffset);
        var written = 0;
        foreach (var segment in segments)
        {
            if (written > 0 && (output.Length + segment.Length > segmentBytes || segment.NextOffset - output.BaseOffset > int.MaxValue))
                break;
            segment.VisitWhole(0, (batch, _) =>
            {
                var kept = RecordBatch.BaseOffset(batch) < EndOffset ? Compact(batch) : batch;
                if (kept.Length > 0)
                    output.Append(kept);
                return true;
            });
            written++;
        }
        output.Seal();
        return written;
    }

    /// <summary>Puts what was written in the place of the segments it replaces; called under the log's lock.</summary>
    public Segment Replace(IReadOnlyList<Segment> segments, long endOffset)
    {
        var finished = Path.Combine(directory, FinishedPrefix + endOffset.ToString(CultureInfo.InvariantCulture));
        Directory.Move(_unfinished, finished); // from here on the pass is completed even by the next process
        foreach (var segment in segments)
            segment.Delete();
        MoveIn(finished, directory);
        return Segment.TryOpenSealed(disk, directory, segments[0].BaseOffset, endOffset)
            ?? throw new IOException($"What compaction wrote to {directory} is not what is read from there.");
    }

    public void Dispose() => _scratch.Dispose();

    private static void MoveIn(string finished, string directory)
    {
        foreach (var file in Directory.GetFiles(finished).OrderByDescending(file => Path.GetExtension(file) == ".index"))
            File.Move(file, Path.Combine(directory, Path.GetFileName(file)), overwrite: true);
        Directory.Delete(finished);
    }

    private static UInt128 Hash(ReadOnlySpan<byte> key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(key, hash);
        return MemoryMarshal.Read<UInt128>(hash);
    }

    /// <summary>The batch with the records that stay, uncompressed when some went; empty when none stays.</summary>
    private ReadOnlySpan<byte> Compact(ReadOnlySpan<byte> batch)
    {
        var spans = Records.Parse(batch, _scratch, out var records);
        if (spans is null)
            return batch; // unreadable to all: it stays as it is
        var kept = new List<RecordSpan>();
        foreach (var record in spans)
        {
            if (Stays(records, record, RecordBatch.BaseOffset(batch), RecordBatch.MaxTimestamp(batch)))
                kept.Add(record);
        }
        if (kept.Count == spans.Count)
            return batch;
        if (kept.Count == 0)
            return [];
        var compacted = new byte[RecordBatch.HeaderSize + kept.Sum(record => record.End - record.Start)];
        batch[..RecordBatch.HeaderSize].CopyTo(compacted);
        var position = RecordBatch.HeaderSize;
        foreach (var record in kept)
        {
            records.Slice(record.Start, record.End - record.Start).CopyTo(compacted.AsSpan(position));
            position += record.End - record.Start;
        }
        RecordBatch.Resize(compacted, kept.Count);
        return compacted;
    }

    private bool Stays(ReadOnlySpan<byte> records, RecordSpan record, long baseOffset, long timestamp)
    {
        if (record.KeyLength < 0)
            return true;
        if (_latest.TryGetValue(Hash(records.Slice(record.KeyStart, record.KeyLength)), out var latest) && latest > baseOffset + record.OffsetDelta)
            return false;
        return record.ValueLength >= 0 || timestamp >= tombstonesBefore;
    }
}
