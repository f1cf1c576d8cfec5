using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Shop.KafkaBroker;

/// <summary>Opening a log, whatever the last process left.</summary>
internal sealed partial class PartitionLog
{
    private void Recover(long logStartOffset)
    {
        var offsets = Directory.EnumerateFiles(_directory, "*.log")
            .Select(path => long.Parse(Path.GetFileNameWithoutExtension(path), CultureInfo.InvariantCulture)).Order().ToArray();
        offsets = [.. offsets.Where((offset, i) => !IsLeftOver(offsets, i))];
        var clean = Path.Combine(_directory, CleanFile);
        var closed = Checkpoint.TryRead(clean, _producers);
        foreach (var offset in offsets)
        {
            var last = offset == offsets[^1];
            if (last && !closed)
                Checkpoint.TryRead(CheckpointPath(offset), _producers);
            var segment = Segment.Open(_broker.Options.Disk, _directory, offset, trusted: closed || !last, last, batch =>
            {
                if (last)
                    _producers.Appended(batch, Now);
            }, out var cutBytes);
            if (cutBytes > 0)
                LogTornTail(_broker.Logger, _topic.Name, Partition, cutBytes, segment.NextOffset);
            if (last)
                segment.Index.Reopen();
            else if (!segment.Index.Sealed)
                segment.Seal();
            _segments.Add(segment);
        }
        File.Delete(clean);
        if (_segments.Count == 0 || Active.NextOffset < logStartOffset)
            _segments.Add(Segment.Create(_broker.Options.Disk, _directory, logStartOffset));
        NextOffset = Active.NextOffset;
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

    [LoggerMessage(EventName = "TornTail", Level = LogLevel.Warning, Message = "{Topic}-{Partition}: {Bytes} torn bytes were cut off; the log goes on at offset {NextOffset}")]
    private static partial void LogTornTail(ILogger logger, string topic, int partition, long bytes, long nextOffset);
}
