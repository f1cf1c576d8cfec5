namespace Shop.KafkaBroker;

/// <summary>Looking up offsets by time.</summary>
internal sealed partial class PartitionLog
{
    /// <summary>The first record at or after a time, as offset and timestamp in milliseconds since 1970; null when there is none.</summary>
    public (long Offset, long Timestamp)? FindTime(long timestamp)
    {
        List<Segment> segments;
        lock (_lock)
            segments = _segments.Where(segment => segment.MaxTimestamp >= timestamp && segment.NextOffset > LogStartOffset).ToList();
        foreach (var segment in segments)
        {
            (long, long)? found = null;
            BatchScan.Visit(segment.Log, segment.Index.PositionOfTime(timestamp), segment.Length, (batch, _) =>
            {
                if (RecordBatch.MaxTimestamp(batch) >= timestamp && RecordBatch.LastOffset(batch) >= LogStartOffset)
                    found = FindTime(batch, timestamp);
                return found is null;
            });
            if (found is not null)
                return found;
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
