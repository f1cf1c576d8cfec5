namespace Shop.KafkaBroker;

/// <summary>A stretch of a segment that may be read: from a batch at or behind an offset to what was written when the reading began.</summary>
internal readonly record struct ReadRange(long Position, long FirstOffset, long End, long NextOffset);

/// <summary>
/// Finding and reading what is in the file, which somebody or something may have changed since it was written: as in Apache Kafka headers are looked
/// at here, and checksums by the clients (check.crcs).
/// </summary>
internal sealed partial class Segment
{
    /// <summary>All that may be read from a batch on.</summary>
    public ReadRange RangeFrom(long position, long firstOffset) => new(position, firstOffset, Length, NextOffset);

    /// <summary>Finds the batch that holds the first record at or after an offset; false when there is none.</summary>
    /// <exception cref="DamagedLogException">What is on the way to it, or the batch, is damaged.</exception>
    public bool TryFind(long offset, out ReadRange range)
    {
        range = SearchFrom(offset);
        Span<byte> header = stackalloc byte[RecordBatch.HeaderSize];
        while (range.Position < range.End)
        {
            ReadHeader(range, header);
            if (RecordBatch.LastOffset(header) >= offset)
            {
                range = range with { FirstOffset = RecordBatch.BaseOffset(header) };
                return true;
            }
            range = range with { Position = range.Position + RecordBatch.Size(header), FirstOffset = RecordBatch.LastOffset(header) + 1 };
        }
        return false;
    }

    /// <summary>Reads the header of the batch that a range begins with.</summary>
    /// <exception cref="DamagedLogException">There is none.</exception>
    public void ReadHeader(ReadRange range, Span<byte> header)
    {
        if (ReadFrom(range.Position, header) < header.Length || !IsInPlace(header, range))
            throw DamagedAt(range);
    }

    /// <summary>
    /// Whether bytes begin with the header of a batch that belongs where a range begins. One behind a gap, as compaction leaves them, is believed when
    /// its successor does not begin before its end: else one of both offsets is damaged. Where the successor is none, the next offset that the index
    /// knows says the same, less exactly.
    /// </summary>
    public bool IsInPlace(ReadOnlySpan<byte> bytes, ReadRange range)
    {
        if (!RecordBatch.FitsIn(bytes, range.FirstOffset, range.NextOffset, range.End - range.Position))
            return false;
        if (RecordBatch.BaseOffset(bytes) == range.FirstOffset)
            return true;
        var (size, next) = (RecordBatch.Size(bytes), RecordBatch.LastOffset(bytes) + 1);
        if (size == range.End - range.Position)
            return next == range.NextOffset;
        var end = range.Position + size;
        Span<byte> successor = stackalloc byte[RecordBatch.HeaderSize];
        if (bytes.Length >= size + successor.Length)
            bytes.Slice(size, successor.Length).CopyTo(successor);
        else if (ReadFrom(end, successor) < successor.Length)
            successor.Clear();
        if (RecordBatch.FitsIn(successor, range.FirstOffset, range.NextOffset, range.End - end))
            return RecordBatch.BaseOffset(successor) >= next;
        return next <= (Index.After(range.Position) is { } entry ? BaseOffset + entry.RelativeOffset : range.NextOffset);
    }

    /// <summary>Reads bytes from a position on; fewer where the file ends.</summary>
    public int ReadFrom(long position, Span<byte> target)
    {
        var total = 0;
        while (total < target.Length && _disk.Read(Log, target[total..], position + total) is > 0 and var read)
            total += read;
        return total;
    }

    /// <summary>Visits the batches from a position on, until the visitor has seen enough, and looks at their checksums too.</summary>
    /// <exception cref="DamagedLogException">One is damaged.</exception>
    public void VisitWhole(long from, BatchVisitor visit)
    {
        var (next, enough) = (BaseOffset, false);
        var end = BatchScan.Visit(this, from, Length, (batch, position) =>
        {
            if (!RecordBatch.FitsIn(batch, next, NextOffset, batch.Length) || !RecordBatch.IsIntact(batch))
                return false;
            next = RecordBatch.LastOffset(batch) + 1;
            enough = !visit(batch, position);
            return !enough;
        });
        if (end < Length && !enough)
            throw DamagedAt(RangeFrom(end, next));
    }

    /// <summary>The first offset of a later leader epoch than the one given; null when there is none. What is damaged is passed over.</summary>
    public long? FindEpochAfter(int epoch)
    {
        Span<byte> header = stackalloc byte[RecordBatch.HeaderSize];
        for (var position = Index.PositionBefore(entry => LeaderEpochAt(entry.Position) > epoch); position < Length;)
        {
            if (ReadFrom(position, header) < header.Length || !RecordBatch.FitsIn(header, BaseOffset, NextOffset, Length - position))
            {
                position = Index.After(position)?.Position ?? Length;
                continue;
            }
            if (RecordBatch.LeaderEpoch(header) > epoch)
                return RecordBatch.BaseOffset(header);
            position += RecordBatch.Size(header);
        }
        return null;
    }

    /// <summary>The leader epoch of the batch at a position.</summary>
    public int LeaderEpochAt(long position)
    {
        Span<byte> header = stackalloc byte[RecordBatch.HeaderSize];
        header.Clear();
        ReadFrom(position, header);
        return RecordBatch.LeaderEpoch(header);
    }
}
