using Microsoft.Win32.SafeHandles;

namespace Shop.KafkaBroker;

/// <summary>
/// One file of a partition's log, named after the first offset it may hold, with its sparse index. Only the partition's
/// last segment grows. Bytes before <see cref="Length"/> never change, so they are read without a lock.
/// </summary>
internal sealed class Segment : IDisposable
{
    private readonly Disk _disk;
    private readonly string _path;

    private Segment(Disk disk, string directory, long baseOffset)
    {
        _disk = disk;
        BaseOffset = baseOffset;
        NextOffset = baseOffset;
        _path = Path.Combine(directory, $"{baseOffset:D20}.log");
        Index = new(disk, Path.ChangeExtension(_path, ".index"));
        Log = disk.Open(_path, FileMode.OpenOrCreate);
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

    public static Segment Create(Disk disk, string directory, long baseOffset) => new(disk, directory, baseOffset);

    /// <summary>Opens a segment whose index vouches for it, or else checks every batch, and cuts off a torn end.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="directory">The partition's directory.</param>
    /// <param name="baseOffset">The offset in the file's name.</param>
    /// <param name="trusted">Whether an index that fits the file's length may be believed.</param>
    /// <param name="last">Whether it is the log's last, in which offsets follow each other, as compaction lets alone, and whose end may be torn.</param>
    /// <param name="onBatch">Called with each batch that was checked; not called when the index was believed.</param>
    /// <param name="cutBytes">The bytes that were cut off.</param>
    /// <exception cref="InvalidDataException">It is damaged elsewhere than at a torn end.</exception>
    public static Segment Open(Disk disk, string directory, long baseOffset, bool trusted, bool last, Action<ReadOnlySpan<byte>> onBatch, out long cutBytes)
    {
        var segment = new Segment(disk, directory, baseOffset);
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
            if (!segment.MayFollow(batch) || (last && RecordBatch.BaseOffset(batch) > segment.NextOffset))
                return false;
            segment.Appended(batch, position);
            onBatch(batch);
            return true;
        });
        cutBytes = fileLength - segment.Length;
        if (cutBytes == 0)
            return segment;
        if (!last || segment.HasBatchBehind(fileLength))
        {
            segment.Dispose();
            throw Damage.In(segment._path, segment.Length);
        }
        disk.SetLength(segment.Log, segment.Length);
        return segment;
    }

    /// <summary>Writes a batch, with its offset in place, behind the last one.</summary>
    /// <exception cref="IOException">The disk is full or failed. Nothing was appended.</exception>
    public void Append(ReadOnlySpan<byte> batch, bool flush = false)
    {
        try
        {
            _disk.Write(Log, batch, Length);
            if (flush)
                _disk.Flush(Log);
        }
        catch
        {
            _disk.TryCut(Log, Length);
            throw;
        }
        Appended(batch, Length);
        Dirty = !flush;
    }

    /// <summary>Forces what was written to the disk.</summary>
    public void Flush()
    {
        if (!Dirty)
            return;
        Dirty = false;
        try
        {
            _disk.Flush(Log);
        }
        catch
        {
            Dirty = true;
            throw;
        }
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
        _disk.Delete(_path);
    }

    public void Dispose()
    {
        Index.Dispose();
        Log.Dispose();
    }

    /// <summary>Whether bytes begin with a whole batch that may come after what is here.</summary>
    private bool MayFollow(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < RecordBatch.HeaderSize || RecordBatch.Magic(bytes) != 2)
            return false;
        var (size, gap) = (RecordBatch.Size(bytes), RecordBatch.BaseOffset(bytes) - NextOffset);
        return size >= RecordBatch.HeaderSize && size <= bytes.Length && gap is >= 0 and <= int.MaxValue
            && RecordBatch.LastOffsetDelta(bytes) >= 0 && RecordBatch.IsIntact(bytes[..size]);
    }

    private bool HasBatchBehind(long fileLength)
    {
        if (fileLength - Length > Array.MaxLength)
            return true; // no crash tears that much
        var rest = new byte[fileLength - Length];
        RandomAccess.Read(Log, rest, Length);
        return Damage.IsInTheMiddle(rest, MayFollow);
    }

    private void Appended(ReadOnlySpan<byte> batch, long position)
    {
        MaxTimestamp = Math.Max(MaxTimestamp, RecordBatch.MaxTimestamp(batch));
        Index.Append((int)(RecordBatch.BaseOffset(batch) - BaseOffset), position, MaxTimestamp);
        Length = position + batch.Length;
        NextOffset = RecordBatch.LastOffset(batch) + 1;
    }
}
