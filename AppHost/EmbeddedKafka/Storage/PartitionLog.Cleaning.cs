using Microsoft.Extensions.Logging;

namespace Shop.KafkaBroker;

/// <summary>What time does to a log: segments end, records expire, and compaction drops what a later record of its key replaced.</summary>
internal sealed partial class PartitionLog
{
    private long _compactedTo;

    /// <summary>Does what is due by the topic's settings; called by one thread at a time.</summary>
    /// <exception cref="IOException">The disk is full or failed; the log is as it was.</exception>
    public void Clean()
    {
        var config = _topic.Config;
        var removed = 0;
        lock (_lock)
        {
            if (_closed)
                return;
            _producers.Expire(Now - (long)_broker.Options.ProducerExpiration.TotalMilliseconds);
            if (Active.Length > 0 && (Now - _segmentBegan > config.SegmentMilliseconds || IsOver(_segments.Count - 1, config)))
                Roll();
            for (; _segments.Count > 1 && IsOver(0, config); removed++)
                RemoveFirst();
        }
        if (removed > 0)
            LogSegmentsDeleted(_broker.Logger, _topic.Name, Partition, removed, LogStartOffset);
        if (config.Compacted)
            Compact(config);
    }

    /// <summary>
    /// Whether nothing in a segment is wanted any more. One without a whole batch knows neither where it ends nor when it was written: what follows it
    /// does, and is no older.
    /// </summary>
    private bool IsOver(int index, TopicConfig config)
    {
        var segment = _segments[index];
        if ((segment == Active ? segment.NextOffset : _segments[index + 1].BaseOffset) <= LogStartOffset)
            return true;
        if (!config.Deleted)
            return false;
        var maxTimestamp = _segments.Skip(index).Select(each => each.MaxTimestamp).FirstOrDefault(timestamp => timestamp >= 0, -1);
        return (config.RetentionMilliseconds >= 0 && maxTimestamp >= 0 && maxTimestamp < Now - config.RetentionMilliseconds)
            || (config.RetentionBytes >= 0 && segment != Active && _segments.Sum(each => each.Length) - segment.Length >= config.RetentionBytes);
    }

    private void RemoveFirst()
    {
        var first = _segments[0];
        _segments.RemoveAt(0);
        LogStartOffset = Math.Max(LogStartOffset, _segments[0].BaseOffset);
        _cursors.Clear();
        first.Delete();
    }

    /// <summary>Compacts the segments before the active one, once enough was added to them since the last time. What is damaged, and what is behind it, stays as it is.</summary>
    private void Compact(TopicConfig config)
    {
        List<Segment> segments;
        lock (_lock)
            segments = _segments[..^1].TakeWhile(segment => !segment.IsDamaged && segment.MaxTimestamp <= Now - config.MinCompactionLagMilliseconds).ToList();
        var total = segments.Sum(segment => segment.Length);
        var dirty = segments.Where(segment => segment.NextOffset > _compactedTo).Sum(segment => segment.Length);
        if (dirty == 0 || dirty < total * config.MinCleanableDirtyRatio)
            return;
        try
        {
            using var compaction = new Compaction(_broker.Options.Disk, _directory, Now - config.DeleteRetentionMilliseconds);
            compaction.ReadKeys(segments, _compactedTo);
            for (var done = 0; done < segments.Count && segments[done].BaseOffset < compaction.EndOffset;)
            {
                var count = compaction.Write(segments[done..], config.SegmentBytes);
                if (!Replace(compaction, segments.GetRange(done, count)))
                    return;
                done += count;
            }
            _compactedTo = compaction.EndOffset;
        }
        catch (ObjectDisposedException)
        {
            return; // the topic, or the records, were deleted meanwhile
        }
        catch (DamagedLogException damage)
        {
            Report(damage); // the next time what is before it is compacted
            return;
        }
        LogCompacted(_broker.Logger, _topic.Name, Partition, total, _compactedTo);
    }

    private bool Replace(Compaction compaction, List<Segment> replaced)
    {
        lock (_lock)
        {
            var index = _segments.IndexOf(replaced[0]);
            if (_closed || index < 0)
                return false;
            Segment replacement;
            try
            {
                replacement = compaction.Replace(replaced, _segments[index + replaced.Count].BaseOffset);
            }
            catch (IOException)
            {
                Abandon(); // some segments may be gone: the next start completes what was begun
                throw;
            }
            _segments.RemoveRange(index, replaced.Count);
            _segments.Insert(index, replacement);
            _cursors.Clear();
            return true;
        }
    }

    [LoggerMessage(EventName = "SegmentsDeleted", Level = LogLevel.Information, Message = "{Topic}-{Partition}: deleted {Segments} segments; the log begins at offset {LogStartOffset}")]
    private static partial void LogSegmentsDeleted(ILogger logger, string topic, int partition, int segments, long logStartOffset);

    [LoggerMessage(EventName = "Compacted", Level = LogLevel.Information, Message = "{Topic}-{Partition}: compacted {Bytes} bytes up to offset {EndOffset}")]
    private static partial void LogCompacted(ILogger logger, string topic, int partition, long bytes, long endOffset);
}
