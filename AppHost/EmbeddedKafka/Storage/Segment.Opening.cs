using System.Buffers;

namespace Shop.KafkaBroker;

/// <summary>Bytes of a segment's file that are no batches, and the offsets that are missing for it.</summary>
internal readonly record struct DamagedStretch(long Position, long End, long FirstOffset, long NextOffset);

/// <summary>What is known of a segment before it is looked through.</summary>
/// <param name="EndOffset">The offset before which it ends; the largest number for the log's last.</param>
/// <param name="ClosedAt">For the log's last: the offset at which the log ended when it was closed; null after a crash.</param>
/// <param name="MayHaveGaps">For the log's last: whether compaction may have left gaps in it.</param>
internal readonly record struct Expectation(long EndOffset, long? ClosedAt = null, bool MayHaveGaps = false)
{
    /// <summary>Whether it is the log's last.</summary>
    public bool IsLast => EndOffset == long.MaxValue;

    /// <summary>Whether nothing is known of where it ends: a crash may have torn its end, and nothing else of it.</summary>
    public bool IsAfterCrash => IsLast && ClosedAt is null;
}

/// <summary>Opening what an earlier process wrote: by its index where that fits, or else batch by batch.</summary>
internal sealed partial class Segment
{
    private const int SearchWindow = 256 * 1024;

    /// <summary>The bytes of a record without key, value and headers.</summary>
    private const int SmallestRecord = 7;

    /// <summary>Whether bytes, which are at a position, are the header that is looked for.</summary>
    private delegate bool HeaderTest(ReadOnlySpan<byte> header, long position);

    /// <summary>
    /// Opens a segment whose index vouches for it; null when it has to be looked through. Looked at are the bytes behind the index's last entry: what
    /// was written last is what a disk that was full, or somebody who cut the file, has left in parts.
    /// </summary>
    /// <param name="disk">The disk.</param>
    /// <param name="directory">The partition's directory.</param>
    /// <param name="baseOffset">The offset in the file's name.</param>
    /// <param name="endOffset">The offset before which it ends.</param>
    public static Segment? TryOpenSealed(Disk disk, string directory, long baseOffset, long endOffset)
    {
        var segment = new Segment(disk, directory, baseOffset);
        segment.Length = RandomAccess.GetLength(segment.Log);
        if (segment.Index.TryOpen(segment.Length, out var nextOffset, out var maxTimestamp) && nextOffset <= endOffset)
        {
            (segment.NextOffset, segment.MaxTimestamp) = (nextOffset, maxTimestamp);
            if (segment.EndsWhole())
                return segment;
        }
        segment.Dispose();
        return null;
    }

    /// <summary>
    /// Opens a segment by a look at every batch, and begins its index anew. Where bytes are no batch, the next whole one is looked for. A torn end of
    /// the log's last segment is cut off, unless the log was closed behind it, or more is damaged than a crash tears: then it need not be torn. What is
    /// damaged stays as it is, for those who may want to repair it.
    /// </summary>
    /// <param name="disk">The disk.</param>
    /// <param name="directory">The partition's directory.</param>
    /// <param name="baseOffset">The offset in the file's name.</param>
    /// <param name="expected">What is known of it.</param>
    /// <param name="onBatch">Called with each batch.</param>
    /// <param name="damaged">What is damaged; the torn end included, whose next offset is the largest number.</param>
    /// <exception cref="InvalidDataException">It ends with a batch that is whole and not in its place, so that nobody knows where the log ended. Nothing was changed.</exception>
    public static Segment Rebuild(Disk disk, string directory, long baseOffset, Expectation expected, Action<ReadOnlySpan<byte>> onBatch, out List<DamagedStretch> damaged)
    {
        var segment = new Segment(disk, directory, baseOffset);
        damaged = [];
        try
        {
            segment.Index.Delete();
            segment.LookThrough(expected, onBatch, damaged);
            return segment;
        }
        catch
        {
            segment.Dispose();
            throw;
        }
    }

    private void LookThrough(Expectation expected, Action<ReadOnlySpan<byte>> onBatch, List<DamagedStretch> damaged)
    {
        var fileLength = RandomAccess.GetLength(Log);
        try
        {
            for (var position = 0L; position < fileLength;)
            {
                Scan(position, fileLength, expected, onBatch);
                if (Length == fileLength)
                    break;
                position = FindWhole(new(Length, NextOffset, fileLength, expected.EndOffset), out var nextOffset);
                damaged.Add(new(Length, position, NextOffset, nextOffset));
            }
        }
        catch (IOException) when (!expected.IsAfterCrash)
        {
            damaged.Add(new(Length, fileLength, NextOffset, expected.EndOffset)); // a disk that cannot be read there any more
        }
        var hasTail = expected.IsLast && Length < fileLength;
        if (hasTail && expected.IsAfterCrash && IsWholeAt(Length, fileLength))
            throw Damage.In(LogPath, Length);
        var cut = hasTail && !(expected.ClosedAt > NextOffset) && !(expected.IsAfterCrash && damaged.Count > 1);
        if (cut)
            _disk.SetLength(Log, Length);
        else if (hasTail)
            damaged[^1] = damaged[^1] with { NextOffset = expected.ClosedAt ?? OffsetBehind(Length, fileLength) };
        IsDamaged = damaged.Exists(stretch => !cut || stretch.End < fileLength);
        if (!cut)
            Length = fileLength;
    }

    /// <summary>
    /// An offset behind all that can have been given to bytes that are no whole batch: as the headers say that are left in them, and behind the last of
    /// those as if there were nothing but the smallest of records, none of them compressed.
    /// </summary>
    private long OffsetBehind(long position, long fileLength)
    {
        var (offset, counted) = (NextOffset, position); // what is before that position is counted
        Span<byte> header = stackalloc byte[RecordBatch.HeaderSize];
        while (position < fileLength)
        {
            var isNext = position == counted;
            if (ReadFrom(position, header) < header.Length || !TellsCount(header) || (!isNext && !MayFollow(header, offset, long.MaxValue, long.MaxValue)))
            {
                position = FindHeader(position + 1, fileLength, (found, _) => TellsCount(found) && MayFollow(found, offset, long.MaxValue, long.MaxValue));
                continue;
            }
            offset = (isNext ? offset : RecordBatch.BaseOffset(header)) + RecordBatch.Count(header);
            counted = position + Math.Max(RecordBatch.Size(header), header.Length);
            position = counted <= fileLength ? counted : position + header.Length; // it is torn, or its length is what is damaged
        }
        return counted < fileLength ? offset + (fileLength - counted) / SmallestRecord + 1 : offset;
    }

    /// <summary>Whether both fields of a header that say how many records there are say the same: bytes that are no header hardly do.</summary>
    private static bool TellsCount(ReadOnlySpan<byte> header) => RecordBatch.Count(header) is > 0 and var count && count - 1 == RecordBatch.LastOffsetDelta(header);

    /// <summary>Whether the batches from the index's last entry on are whole, and end where the index says. What cannot be read the index alone vouches for.</summary>
    private bool EndsWhole()
    {
        try
        {
            return IsWholeFromLastEntry();
        }
        catch (IOException)
        {
            return IsDamaged = true;
        }
    }

    private bool IsWholeFromLastEntry()
    {
        var (from, next) = (Index.Last.Position, BaseOffset + Index.Last.RelativeOffset);
        if (from > Length)
            return false;
        return Length == BatchScan.Visit(this, from, Length, (batch, _) =>
        {
            if (!RecordBatch.FitsIn(batch, next, NextOffset, batch.Length) || !RecordBatch.IsIntact(batch))
                return false;
            next = RecordBatch.LastOffset(batch) + 1;
            return true;
        }) && next == NextOffset;
    }

    /// <summary>Takes in whole batches from a position on. In the log's last segment a gap is believed only where what follows confirms it.</summary>
    private void Scan(long from, long fileLength, Expectation expected, Action<ReadOnlySpan<byte>> onBatch) =>
        BatchScan.Visit(this, from, fileLength, (batch, position) =>
        {
            var behindDamage = position == from && from > 0;
            if (!MayFollow(batch, NextOffset, expected.EndOffset, batch.Length)
                || (expected.IsLast && !behindDamage && RecordBatch.BaseOffset(batch) > NextOffset && !IsConfirmed(batch, position, fileLength, expected))
                || !RecordBatch.IsIntact(batch))
                return false;
            Appended(batch, position, behindDamage);
            onBatch(batch);
            return true;
        });

    /// <summary>Whether the offset of a batch behind a gap, which no checksum covers, is not above its successor's.</summary>
    private bool IsConfirmed(ReadOnlySpan<byte> batch, long position, long fileLength, Expectation expected)
    {
        var (end, next) = (position + batch.Length, RecordBatch.LastOffset(batch) + 1);
        if (end == fileLength)
            return expected.MayHaveGaps || next == expected.ClosedAt;
        Span<byte> successor = stackalloc byte[sizeof(long)];
        return ReadFrom(end, successor) == successor.Length && RecordBatch.BaseOffset(successor) >= next;
    }

    private bool MayFollow(ReadOnlySpan<byte> header, long firstOffset, long endOffset, long room) =>
        RecordBatch.FitsIn(header, firstOffset, Math.Min(endOffset, BaseOffset + int.MaxValue + 1L), room);

    private bool IsWholeAt(long position, long fileLength)
    {
        Span<byte> header = stackalloc byte[RecordBatch.HeaderSize];
        return ReadFrom(position, header) == header.Length && MayFollow(header, BaseOffset, long.MaxValue, fileLength - position)
            && IsIntactAt(position, RecordBatch.Size(header));
    }

    /// <summary>The position of the first whole batch behind the damage that a range begins with; the range's end when there is none.</summary>
    private long FindWhole(ReadRange damage, out long baseOffset)
    {
        var next = damage.NextOffset;
        var found = FindHeader(damage.Position + 1, damage.End, (header, position) =>
        {
            if (!MayFollow(header, damage.FirstOffset, damage.NextOffset, damage.End - position) || !IsIntactAt(position, RecordBatch.Size(header)))
                return false;
            next = RecordBatch.BaseOffset(header);
            return true;
        });
        baseOffset = next;
        return found;
    }

    /// <summary>The first position from one on where there is the header that is looked for; the end when there is none.</summary>
    private long FindHeader(long from, long end, HeaderTest isWanted)
    {
        var window = ArrayPool<byte>.Shared.Rent(SearchWindow);
        try
        {
            int read;
            for (var start = from; start <= end - RecordBatch.HeaderSize; start += read - RecordBatch.HeaderSize + 1)
            {
                read = ReadFrom(start, window);
                for (var i = 0; i + RecordBatch.HeaderSize <= read; i++)
                {
                    if (isWanted(window.AsSpan(i, RecordBatch.HeaderSize), start + i))
                        return start + i;
                }
                if (read < RecordBatch.HeaderSize)
                    break; // the file is being cut
            }
            return end;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(window);
        }
    }

    private bool IsIntactAt(long position, int size)
    {
        var batch = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            return ReadFrom(position, batch.AsSpan(0, size)) == size && RecordBatch.IsIntact(batch.AsSpan(0, size));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(batch);
        }
    }
}
