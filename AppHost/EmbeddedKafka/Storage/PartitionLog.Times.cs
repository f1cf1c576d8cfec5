namespace Shop.KafkaBroker;

/// <summary>Looking up offsets by time.</summary>
internal sealed partial class PartitionLog
{
    /// <summary>The first record at or after a time, as offset and timestamp in milliseconds since 1970; null when there is none.</summary>
    /// <exception cref="DamagedLogException">What is damaged may have it.</exception>
    public (long Offset, long Timestamp)? FindTime(long timestamp)
    {
        List<(Segment Segment, long Length)> segments;
        lock (_lock)
        {
            segments = _segments.Where(segment => segment.MaxTimestamp >= timestamp && segment.NextOffset > LogStartOffset)
                .Select(segment => (segment, segment.Length)).ToList();
        }
        foreach (var (segment, length) in segments)
        {
            (long, long)? found = null;
            var from = segment.Index.PositionOfTime(timestamp);
            var end = BatchScan.Visit(segment.Log, from, length, (batch, _) =>
            {
                if (RecordBatch.MaxTimestamp(batch) >= timestamp && RecordBatch.LastOffset(batch) >= LogStartOffset)
                    found = FindTime(batch, timestamp);
                return found is null;
            });
            if (found is not null)
                return found;
            if (end < length)
                throw Reported(segment.DamagedAt(end));
        }
        return null;
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
