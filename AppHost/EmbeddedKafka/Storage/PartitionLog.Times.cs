namespace Shop.KafkaBroker;

/// <summary>Looking up offsets by time.</summary>
internal sealed partial class PartitionLog
{
    /// <summary>
    /// The first record at or after a time, as offset and timestamp in milliseconds since 1970; null when there is none. What is damaged may have it:
    /// then that is where reading has to begin, for the time that was asked for.
    /// </summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public (long Offset, long Timestamp)? FindTime(long timestamp)
    {
        while (true)
        {
            List<(Segment Segment, ReadRange Range)> segments;
            lock (_lock)
            {
                if (_closed)
                    return null;
                segments = _segments.Where(segment => segment.MaxTimestamp >= timestamp && segment.NextOffset > LogStartOffset)
                    .Select(segment => (segment, segment.RangeFrom(0, segment.BaseOffset))).ToList();
            }
            var looksAt = LogStartOffset;
            try
            {
                foreach (var (segment, range) in segments)
                {
                    looksAt = segment.BaseOffset;
                    if (FindTime(segment, range, timestamp) is { } found)
                        return found;
                }
                return null;
            }
            catch (ObjectDisposedException)
            {
                // retention or compaction took the segment away: look again
            }
            catch (IOException failure)
            {
                Report(failure, looksAt);
                throw;
            }
        }
    }

    private (long, long)? FindTime(Segment segment, ReadRange range, long timestamp)
    {
        if (segment.Index.OfTime(timestamp) is not { } entry)
            return null;
        range = range with { Position = entry.Position, FirstOffset = segment.BaseOffset + entry.RelativeOffset };
        (long, long)? found = null;
        BatchScan.Visit(segment, range.Position, range.End, (batch, position) =>
        {
            if (!segment.IsInPlace(batch, range) || !RecordBatch.IsIntact(batch))
                return false;
            range = range with { Position = position + batch.Length, FirstOffset = RecordBatch.LastOffset(batch) + 1 };
            if (RecordBatch.MaxTimestamp(batch) >= timestamp && range.FirstOffset > LogStartOffset)
                found = FindTime(batch, timestamp);
            return found is null;
        });
        if (found is null && range.Position < range.End)
        {
            Report(segment.DamagedAt(range));
            found = (Math.Max(range.FirstOffset, LogStartOffset), timestamp);
        }
        return found;
    }

    private (long, long)? FindTime(ReadOnlySpan<byte> batch, long timestamp)
    {
        var (offset, time) = (RecordBatch.BaseOffset(batch), RecordBatch.BaseTimestamp(batch));
        using var scratch = new ResponseWriter();
        if (Records.Parse(batch, scratch, out _) is not { } records)
            return (offset, RecordBatch.MaxTimestamp(batch)); // opaque: the whole batch is read
        foreach (var record in records)
        {
            if (time + record.TimestampDelta >= timestamp && offset + record.OffsetDelta >= LogStartOffset)
                return (offset + record.OffsetDelta, time + record.TimestampDelta);
        }
        return null;
    }
}
