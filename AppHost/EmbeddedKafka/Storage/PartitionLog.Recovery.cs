using Microsoft.Extensions.Logging;

namespace Shop.KafkaBroker;

/// <summary>Opening a log, whatever the last process left.</summary>
internal sealed partial class PartitionLog
{
    private string CleanPath => Path.Combine(_directory, CleanFile);

    /// <summary>
    /// Takes up the log, once all others are open too. From here on the mark of a clean stop, and the index of the segment that grows, no longer say
    /// how it is; a start that fails before leaves them for the next.
    /// </summary>
    public void Begin()
    {
        File.Delete(CleanPath);
        Active.Index.Delete();
    }

    private void Recover(long logStartOffset)
    {
        var offsets = Directory.EnumerateFiles(_directory, "*.log").Select(Segment.OffsetIn).OfType<long>().Order().ToArray();
        offsets = [.. offsets.Where((offset, i) => !IsLeftOver(offsets, i))];
        long? closedAt = Checkpoint.TryRead(CleanPath, _producers, out var end) ? end : null;
        var next = Math.Max(logStartOffset, closedAt ?? 0);
        for (var i = 0; i < offsets.Length; i++)
            _segments.Add(i < offsets.Length - 1 ? OpenEarlier(offsets[i], offsets[i + 1]) : OpenLast(offsets[i], closedAt, ref next));
        if (offsets.Length == 0)
        {
            _producers.Clear();
            _segments.Add(Segment.Create(_broker.Options.Disk, _directory, next));
            if (closedAt > 0)
                LogEndsEarly(_broker.Logger, _topic.Name, Partition, Active.LogPath, logStartOffset, closedAt.Value);
        }
        else if (Active.NextOffset < next || Active.IsDamaged) // what is appended is behind no damage, which every start would have to look for again
        {
            if (closedAt > Active.NextOffset)
                LogEndsEarly(_broker.Logger, _topic.Name, Partition, Active.LogPath, Active.NextOffset, closedAt.Value);
            NextOffset = Math.Max(next, Active.NextOffset); // what was acknowledged once keeps its offsets, whatever became of it
            Roll();
        }
        NextOffset = Active.NextOffset;
    }

    private Segment OpenEarlier(long offset, long endOffset)
    {
        var segment = Segment.TryOpenSealed(_broker.Options.Disk, _directory, offset, endOffset);
        if (segment is null)
        {
            segment = Segment.Rebuild(_broker.Options.Disk, _directory, offset, new(endOffset), static _ => { }, out var damaged);
            Say(segment, damaged);
            segment.Seal();
        }
        if (segment.NextOffset < endOffset && !segment.IsDamaged && !_topic.Config.Compacted)
            LogMissing(_broker.Logger, _topic.Name, Partition, segment.LogPath, segment.NextOffset, endOffset - 1);
        return segment;
    }

    /// <summary>Opens the last segment. What it was when the log was closed it has to be still, or it is looked through.</summary>
    /// <param name="offset">The offset in its name.</param>
    /// <param name="closedAt">The offset at which the log ended when it was closed; null after a crash.</param>
    /// <param name="next">The offset at which the log goes on at the earliest; behind the segment's damaged end, where it has one.</param>
    private Segment OpenLast(long offset, long? closedAt, ref long next)
    {
        var segment = closedAt is null ? null : Segment.TryOpenSealed(_broker.Options.Disk, _directory, offset, closedAt.Value);
        if (segment is not null && segment.NextOffset == closedAt)
        {
            segment.Index.Reopen();
            return segment;
        }
        segment?.Dispose();
        _producers.Clear(); // those of the checkpoint may know batches that are not there any more
        Checkpoint.TryRead(CheckpointPath(offset), _producers, out _);
        segment = Segment.Rebuild(
            _broker.Options.Disk, _directory, offset, new(long.MaxValue, closedAt, _topic.Config.Compacted), batch => _producers.Appended(batch, Now), out var damaged);
        if (damaged.Count > 0 && damaged[^1].NextOffset == long.MaxValue)
        {
            var torn = damaged[^1];
            damaged.RemoveAt(damaged.Count - 1);
            LogTornTail(_broker.Logger, _topic.Name, Partition, segment.LogPath, torn.End - torn.Position, torn.Position, segment.NextOffset);
        }
        if (damaged.Count > 0)
            next = Math.Max(next, damaged[^1].NextOffset);
        Say(segment, damaged);
        return segment;
    }

    private void Say(Segment segment, List<DamagedStretch> damaged)
    {
        foreach (var stretch in damaged)
            LogDamagedStretch(_broker.Logger, _topic.Name, Partition, segment.LogPath, stretch.Position, stretch.End, stretch.FirstOffset, stretch.NextOffset - 1);
    }

    /// <summary>Removes an empty segment that a new one was to become, when its predecessor could not be completed, and goes on in that.</summary>
    private bool IsLeftOver(long[] offsets, int i)
    {
        var path = Path.Combine(_directory, $"{offsets[i]:D20}.log");
        if (i == 0 || new FileInfo(path).Length > 0 || (i == offsets.Length - 1 && !File.Exists(CheckpointPath(offsets[i - 1]))))
            return false;
        File.Delete(Path.ChangeExtension(path, ".index"));
        File.Delete(path);
        return true;
    }

    [LoggerMessage(EventName = "TornTail", Level = LogLevel.Warning, Message = "{Topic}-{Partition}: {Bytes} torn bytes were cut off {File} at byte {Position}; the log goes on at offset {NextOffset}")]
    private static partial void LogTornTail(ILogger logger, string topic, int partition, string file, long bytes, long position, long nextOffset);

    [LoggerMessage(EventName = "LogEndsEarly", Level = LogLevel.Error,
        Message = "{Topic}-{Partition}: {File} ends at offset {NextOffset}, and ended at {ClosedAt} when the log was closed: what is between them cannot be read, and the log goes on behind it")]
    private static partial void LogEndsEarly(ILogger logger, string topic, int partition, string file, long nextOffset, long closedAt);

    [LoggerMessage(EventName = "OffsetsMissing", Level = LogLevel.Error, Message = "{Topic}-{Partition}: behind {File} the offsets {First} to {Last} are missing; readers go on behind them")]
    private static partial void LogMissing(ILogger logger, string topic, int partition, string file, long first, long last);
}
