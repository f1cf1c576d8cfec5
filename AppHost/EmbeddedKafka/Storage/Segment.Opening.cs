using System.Buffers;

namespace Shop.KafkaBroker;

/// <summary>Bytes of a segment's file that are no batches, and the offsets that are missing for it.</summary>
internal readonly record struct DamagedStretch(long Position, long End, long FirstOffset, long NextOffset);

/// <summary>Opening what an earlier process wrote: by its index where that fits, or else batch by batch.</summary>
internal sealed partial class Segment
{
    private const int SearchWindow = 256 * 1024;

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
    /// the log's last segment is cut off. What is damaged elsewhere stays as it is, for those who may want to repair it.
    /// </summary>
    /// <param name="disk">The disk.</param>
    /// <param name="directory">The partition's directory.</param>
    /// <param name="baseOffset">The offset in the file's name.</param>
    /// <param name="endOffset">The offset before which it ends; the largest number for the log's last.</param>
    /// <param name="refuseDamage">Whether damage elsewhere than at the end is refused.</param>
    /// <param name="onBatch">Called with each batch.</param>
    /// <param name="damaged">What is damaged, the torn end included.</param>
    /// <exception cref="InvalidDataException">It is damaged elsewhere than at its end, and nothing was changed.</exception>
    public static Segment Rebuild(
        Disk disk, string directory, long baseOffset, long endOffset, bool refuseDamage, Action<ReadOnlySpan<byte>> onBatch, out List<DamagedStretch> damaged)
    {
        var segment = new Segment(disk, directory, baseOffset);
        segment.Index.Delete();
        var (last, fileLength) = (endOffset == long.MaxValue, RandomAccess.GetLength(segment.Log));
        damaged = [];
        for (var position = 0L; position < fileLength;)
        {
            segment.Scan(position, fileLength, endOffset, last, onBatch);
            if (segment.Length == fileLength)
                break;
            position = segment.FindWhole(segment.Length + 1, fileLength, endOffset, out var nextOffset);
            damaged.Add(new(segment.Length, position, segment.NextOffset, nextOffset));
        }
        if (refuseDamage && damaged.Exists(stretch => stretch.End < fileLength))
        {
            segment.Dispose();
            throw Damage.In(segment.LogPath, damaged[0].Position);
        }
        if (last && segment.Length < fileLength)
            disk.SetLength(segment.Log, segment.Length);
        segment.IsDamaged = damaged.Exists(stretch => !last || stretch.End < fileLength);
        if (!last)
            segment.Length = fileLength;
        return segment;
    }

    /// <summary>Whether the batches from the index's last entry on are whole, and end where the index says.</summary>
    private bool EndsWhole()
    {
        var (from, next) = (Index.Last.Position, BaseOffset + Index.Last.RelativeOffset);
        if (from > Length)
            return false;
        return Length == BatchScan.Visit(Log, from, Length, (batch, _) =>
        {
            if (!RecordBatch.FitsIn(batch, next, NextOffset, batch.Length) || !RecordBatch.IsIntact(batch))
                return false;
            next = RecordBatch.LastOffset(batch) + 1;
            return true;
        }) && next == NextOffset;
    }

    /// <summary>Takes in whole batches from a position on. In the log's last segment offsets follow each other, as compaction lets alone, but for what is damaged.</summary>
    private void Scan(long from, long fileLength, long endOffset, bool contiguous, Action<ReadOnlySpan<byte>> onBatch) =>
        BatchScan.Visit(Log, from, fileLength, (batch, position) =>
        {
            var behindDamage = position == from && from > 0;
            if (!MayFollow(batch, endOffset, batch.Length) || (contiguous && !behindDamage && RecordBatch.BaseOffset(batch) > NextOffset) || !RecordBatch.IsIntact(batch))
                return false;
            Appended(batch, position, behindDamage);
            onBatch(batch);
            return true;
        });

    private bool MayFollow(ReadOnlySpan<byte> header, long endOffset, long room) =>
        RecordBatch.FitsIn(header, NextOffset, Math.Min(endOffset, BaseOffset + int.MaxValue + 1L), room);

    /// <summary>The position of the first whole batch at or behind another position; the file's end when there is none.</summary>
    private long FindWhole(long from, long fileLength, long endOffset, out long baseOffset)
    {
        baseOffset = endOffset;
        var window = ArrayPool<byte>.Shared.Rent(SearchWindow);
        try
        {
            int read;
            for (var start = from; start <= fileLength - RecordBatch.HeaderSize; start += read - RecordBatch.HeaderSize + 1)
            {
                read = ReadFrom(start, window);
                for (var i = 0; i + RecordBatch.HeaderSize <= read; i++)
                {
                    var header = window.AsSpan(i, RecordBatch.HeaderSize);
                    if (!MayFollow(header, endOffset, fileLength - start - i) || !IsIntactAt(start + i, RecordBatch.Size(header)))
                        continue;
                    baseOffset = RecordBatch.BaseOffset(header);
                    return start + i;
                }
                if (read < RecordBatch.HeaderSize)
                    break; // the file is being cut
            }
            return fileLength;
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
