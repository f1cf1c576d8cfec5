using Microsoft.Extensions.Logging;

namespace Shop.KafkaBroker;

/// <summary>
/// What is damaged in the middle of a log stays there. Those who read it get an error, as from Apache Kafka; what is before and behind it, and
/// every other partition, is served.
/// </summary>
internal sealed partial class PartitionLog
{
    private readonly HashSet<(string File, long Position)> _reported = [];

    /// <summary>Says where the log is damaged, once: clients come back for it again and again.</summary>
    private void Report(DamagedLogException damage)
    {
        lock (_reported)
        {
            if (!_reported.Add((damage.Segment.LogPath, damage.Range.Position)))
                return;
        }
        LogDamageMet(_broker.Logger, _topic.Name, Partition, damage.Segment.LogPath, damage.Range.Position);
    }

    /// <summary>Says that a read failed, once for each offset.</summary>
    private void Report(IOException failure, long offset)
    {
        lock (_reported)
        {
            if (!_reported.Add(("", offset)))
                return;
        }
        LogReadFailed(_broker.Logger, failure, _topic.Name, Partition, offset);
    }

    /// <summary>Says where the log is damaged; true when an offset is behind that and can be looked for again.</summary>
    private bool TryPass(DamagedLogException damage, long offset)
    {
        Report(damage);
        try
        {
            if (!damage.Segment.IsBehind(offset, damage.Range))
                return false;
            _cursors.Clear(); // they may lead there again
            return true;
        }
        catch (ObjectDisposedException)
        {
            return true; // the segment is not the log's any more
        }
        catch (IOException failure)
        {
            Report(failure, offset);
            return false;
        }
    }

    [LoggerMessage(EventName = "LogDamaged", Level = LogLevel.Error, Message = "{Topic}-{Partition}: {File} is damaged at byte {Position}. Who reads there gets error 2 "
        + "(CORRUPT_MESSAGE) until it seeks an offset behind that, or the records up to there are deleted; to put the file back from a copy, stop the broker first")]
    private static partial void LogDamageMet(ILogger logger, string topic, int partition, string file, long position);

    [LoggerMessage(EventName = "LogDamagedStretch", Level = LogLevel.Error,
        Message = "{Topic}-{Partition}: {File} has no whole batch from byte {Position} to {End}: the offsets {First} to {Last} cannot be read")]
    private static partial void LogDamagedStretch(ILogger logger, string topic, int partition, string file, long position, long end, long first, long last);

    [LoggerMessage(EventName = "ReadFailed", Level = LogLevel.Error, Message = "{Topic}-{Partition}: reading at offset {Offset} failed")]
    private static partial void LogReadFailed(ILogger logger, Exception failure, string topic, int partition, long offset);
}
