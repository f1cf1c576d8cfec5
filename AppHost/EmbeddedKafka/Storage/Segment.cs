using Microsoft.Win32.SafeHandles;

namespace Shop.KafkaBroker;

/// <summary>
/// One file of a partition's log, named after the first offset it may hold, with its sparse index. Only the partition's
/// last segment grows. Bytes before <see cref="Length"/> never change, so they are read without a lock.
/// </summary>
internal sealed class Segment : IDisposable
{
    private readonly string _path;

    private Segment(string directory, long baseOffset)
    {
        BaseOffset = baseOffset;
        NextOffset = baseOffset;
        _path = Path.Combine(directory, $"{baseOffset:D20}.log");
        Index = new(Path.ChangeExtension(_path, ".index"));
        Log = File.OpenHandle(_path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
    }

    public long BaseOffset { get; }

    /// <summary>The offset after the last record.</summary>
    public long NextOffset { get; private set; }

    /// <summary>The bytes of whole batches; the file may have a torn batch behind them after a failed write.</summary>
    public long Length { get; private set; }

    /// <summary>The latest timestamp in milliseconds since 1970, or -1.</summary>
    public long MaxTimestamp { get; private set; } = -1;

    /// <summary>Whether anything was written since the last <see cref="Flush"/>.</summary>
    public bool Dirty { get; private set; }

    public SafeFileHandle Log { get; }

    public SparseIndex Index { get; }

    public static Segment Create(string directory, long baseOffset) => new(directory, baseOffset);

    /// <summary>Opens a segment whose index vouches for it, or else checks every batch and cuts the file at the first bad one.</summary>
    /// <param name="directory">The partition's directory.</param>
    /// <param name="baseOffset">The offset in the file's name.</param>
    /// <param name="trusted">Whether an index that fits the file's length may be believed.</param>
    /// <param name="contiguous">Whether offsets must follow each other; compaction leaves gaps.</param>
    /// <param name="onBatch">Called with each batch that was checked; not called when the index was believed.</param>
    /// <param name="cutBytes">The bytes that were cut off.</param>
    public static Segment Open(string directory, long baseOffset, bool trusted, bool contiguous, Action<ReadOnlySpan<byte>> onBatch, out long cutBytes)
    {
        var segment = new Segment(directory, baseOffset);
        cutBytes = 0;
        var fileLength = RandomAccess.GetLength(segment.Log);
        if (trusted && segment.Index.TryOpen(fileLength, out var nextOffset, out var maxTimestamp))
        {
            (segment.Length, segment.NextOffset, segment.MaxTimestamp) = (fileLength, nextOffset, maxTimestamp);
            return segment;
        }
        segment.Index.Delete();
        BatchScan.Visit(segment.Log, 0, fileLength, (batch, position) =>
        {
            var gap = RecordBatch.BaseOffset(batch) - segment.NextOffset;
            if (RecordBatch.Magic(batch) != 2 || gap < 0 || (contiguous && gap > 0) || RecordBatch.LastOffsetDelta(batch) < 0
                || !RecordBatch.IsIntact(batch))
                return false;
            segment.Appended(batch, position);
            onBatch(batch);
            return true;
        });
        cutBytes = fileLength - segment.Length;
        if (cutBytes > 0)
            RandomAccess.SetLength(segment.Log, segment.Length);
        return segment;
    }

    /// <summary>Writes a batch, with its offset in place, behind the last one.</summary>
    /// <exception cref="IOException">The disk is full or failed. Nothing counts as appended; the next batch overwrites what was written.</exception>
    public void Append(ReadOnlySpan<byte> batch)
    {
        RandomAccess.Write(Log, batch, Length);
        Appended(batch, Length);
        Dirty = true;
    }

    /// <summary>Forces what was written to the disk.</summary>
    public void Flush()
    {
        if (!Dirty)
            return;
        Dirty = false;
        RandomAccess.FlushToDisk(Log);
    }

    /// <summary>Flushes, and moves the index to its file.</summary>
    public void Seal()
    {
        Flush();
        Index.Seal(Length, NextOffset, MaxTimestamp);
    }

    /// <summary>The position of the batch that holds the first record at or after an offset, or -1.</summary>
    public long Find(long offset)
    {
        var position = Index.PositionOf(offset - BaseOffset);
        Span<byte> header = stackalloc byte[RecordBatch.HeaderSize];
        while (position < Length)
        {
            RandomAccess.Read(Log, header, position);
            if (RecordBatch.LastOffset(header) >= offset)
                return position;
            position += RecordBatch.Size(header);
        }
        return -1;
    }

    /// <summary>The first offset of a later leader epoch than the one given; null when there is none.</summary>
    public long? FindEpochAfter(int epoch)
    {
        Span<byte> header = stackalloc byte[RecordBatch.HeaderSize];
        for (var position = Index.PositionBefore(entry => LeaderEpochAt(entry.Position) > epoch); position < Length; position += RecordBatch.Size(header))
        {
            RandomAccess.Read(Log, header, position);
            if (RecordBatch.LeaderEpoch(header) > epoch)
                return RecordBatch.BaseOffset(header);
        }
        return null;
    }

    /// <summary>The leader epoch of the batch at a position.</summary>
    public int LeaderEpochAt(long position)
    {
        Span<byte> header = stackalloc byte[RecordBatch.HeaderSize];
        RandomAccess.Read(Log, header, position);
        return RecordBatch.LeaderEpoch(header);
    }

    public void Delete()
    {
        Dispose();
        Index.Delete();
        File.Delete(_path);
    }

    public void Dispose()
    {
        Index.Dispose();
        Log.Dispose();
    }

    private void Appended(ReadOnlySpan<byte> batch, long position)
    {
        MaxTimestamp = Math.Max(MaxTimestamp, RecordBatch.MaxTimestamp(batch));
        Index.Append((int)(RecordBatch.BaseOffset(batch) - BaseOffset), position, MaxTimestamp);
        Length = position + batch.Length;
        NextOffset = RecordBatch.LastOffset(batch) + 1;
    }
}
