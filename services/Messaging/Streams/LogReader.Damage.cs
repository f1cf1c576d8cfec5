using System.Diagnostics;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Shop.Messaging.Kafka;

namespace Shop.Messaging.Streams;

/// <summary>What no client can read is passed over: a partition that stands before it is probed, held meanwhile where its checksum is wrong, and goes on behind it.</summary>
public sealed partial class LogReader
{
    /// <summary>
    /// A client fetches what it cannot read again and again, mostly without a word. Whether a partition stands before such a batch, or only behind what
    /// others have, is asked beside the reading, one after another: null where none stands. One that is held is asked about at once, and again where the
    /// broker did not answer.
    /// </summary>
    private Task<Readable>? Probe(IConsumer<byte[]?, byte[]?> consumer, Dictionary<(string Topic, int Partition), LogCursor> cursors, CancellationToken cancellationToken)
    {
        foreach (var ((topic, partition), cursor) in cursors.OrderByDescending(cursor => cursor.Value.IsToProbe).ThenBy(cursor => cursor.Value.MovedAt)
            .TakeWhile(cursor => cursor.Value.IsToProbe || Stopwatch.GetElapsedTime(cursor.Value.MovedAt) > Lull))
        {
            var stands = new TopicPartition(topic, partition);
            if (!cursor.IsHeld && !cursor.IsRefused && (consumer.GetWatermarkOffsets(stands).High is not { IsSpecial: false } end || end.Value <= cursor.Next))
                continue;
            // what is refused still is so again before the next look
            (cursor.IsToProbe, cursor.IsRefused) = (false, false);
            var (first, until) = (cursor.Next, cursor.PassedUntil);
            return Task.Run(() => FindReadable(stands, first, until, cancellationToken), CancellationToken.None);
        }
        return null;
    }

    private Readable FindReadable(TopicPartition stands, long first, long? until, CancellationToken cancellationToken)
    {
        // where the last of what was passed over cannot be read still, nothing has come in the place of what is before it
        var next = until is { } end && end - 1 > first ? _readability.FindReadable(stands, end - 1, GoesOn) : null;
        if (next is null || next < until)
            next = _readability.FindReadable(stands, first, GoesOn);
        // a log that ends before has lost its end, or was made anew: all that there is of it comes
        return new(stands, first, next < first ? _asking.Value.QueryWatermarkOffsets(stands, RequestTimeout).Low.Value : next);

        bool GoesOn(long offset)
        {
            if (offset > first)
                Volatile.Write(ref _passedAt, Stopwatch.GetTimestamp());
            return !cancellationToken.IsCancellationRequested;
        }
    }

    private void PassOver(IConsumer<byte[]?, byte[]?> consumer, Dictionary<(string Topic, int Partition), LogCursor> cursors, Task<Readable> probed)
    {
        if (!probed.IsCompletedSuccessfully)
            return;
        var (partition, first, next) = probed.Result;
        var cursor = cursors[(partition.Topic, partition.Partition.Value)];
        if (next is { } readable && cursor.Next == first && (readable != first || cursor.IsHeld))
        {
            if (readable > first)
                UnreadablePassedOver(_logger, partition.Topic, partition.Partition.Value, first, readable - 1);
            consumer.Seek(new(partition, new Offset(readable)));
            if (cursor.IsHeld)
                consumer.Resume([partition]);
            cursor.GoOnAt(readable, isAtEnd: readable > first && consumer.GetWatermarkOffsets(partition).High.Value <= readable);
        }
        // it was looked at, and the next time is another's turn
        cursor.MoveTo(cursor.Next);
    }

    /// <summary>What an error says of a partition: a wrong checksum holds it, and where the broker does not find a batch it is looked at in time.</summary>
    private static void NoteDamage(IConsumer<byte[]?, byte[]?> consumer, LogCursor cursor, TopicPartition partition, ErrorCode error)
    {
        if (error == ErrorCode.Local_BadMsg && !cursor.IsHeld)
        {
            // after a wrong checksum librdkafka goes on at a wrong place, or fetches the batch again without a pause
            cursor.Hold();
            consumer.Pause([partition]);
        }
        else if (error == ErrorCode.InvalidMsg)
        {
            cursor.IsRefused = true;
        }
    }

    /// <summary>
    /// Whether a record is one to hand out: not one that comes although reading went on behind it, nor one that may have come into the log with others in the
    /// place of what was passed over, which is read again then.
    /// </summary>
    private static bool IsToHandOut(IConsumer<byte[]?, byte[]?> consumer, LogCursor cursor, ConsumeResult<byte[]?, byte[]?> record)
    {
        if (cursor.Sought is { } sought)
        {
            if (SoughtOffset.LaterEpochOf(record, cursor.LeaderEpoch, isLaterIfUnknown: cursor.IsAtEnd) is { } epoch)
            {
                cursor.ReadPassedOverAgain(epoch);
                consumer.Seek(new(record.TopicPartition, new Offset(cursor.Next)));
                return false;
            }
            if (SoughtOffset.IsBehind(consumer, record, sought))
                return false;
        }
        cursor.Take(record.LeaderEpoch);
        return true;
    }

    [LoggerMessage(EventName = "UnreadablePassedOver", Level = LogLevel.Error, Message = "{Topic}[{Partition}] has nothing that can be read at the offsets {First} to {Last}: they are passed over")]
    private static partial void UnreadablePassedOver(ILogger logger, string topic, int partition, long first, long last);

    /// <summary>Where there is a readable record from an offset on, or the log's start where it ends before that; null where the broker did not answer.</summary>
    private sealed record Readable(TopicPartition Partition, long First, long? Next);
}
