using System.Diagnostics;
using Confluent.Kafka;
using Shop.Messaging.Kafka;

namespace Shop.Messaging.Consuming;

/// <summary>What no client can read is passed over: a partition that stands before it is probed, held meanwhile where its checksum is wrong, and goes on behind it.</summary>
internal sealed partial class PartitionFeed
{
    /// <summary>Those that are held and were not probed yet.</summary>
    private readonly Queue<PartitionAssignment> _toProbe = new();

    private Task _probing = Task.CompletedTask;

    /// <summary>What an error says of a partition: a wrong checksum holds it; that the broker does not find a batch has it looked at, since a file may be put back this moment.</summary>
    private void NoteDamage(IConsumer<byte[]?, byte[]?> consumer, TopicPartition partition, ErrorCode error)
    {
        if (error == ErrorCode.Local_BadMsg)
            Hold(consumer, partition);
        else if (error == ErrorCode.InvalidMsg && _assignments.TryGetValue(partition, out var assignment))
            assignment.IsRefused = true;
    }

    /// <summary>
    /// A batch's checksum is wrong. librdkafka (rd_kafka_msgset_reader_v2) then reads on at a wrong place, takes what it finds there for an offset, fetches
    /// from it and so begins again at the log's start, or fetches the batch again and again without a pause. Until it is known what is behind the batch,
    /// nothing is fetched, and pausing drops what came after it: of all that is said, only that there was such a batch can be relied on.
    /// </summary>
    private void Hold(IConsumer<byte[]?, byte[]?> consumer, TopicPartition partition)
    {
        if (!_assignments.TryGetValue(partition, out var assignment) || assignment.IsHeld)
            return;
        assignment.IsHeld = true;
        consumer.Pause([partition]);
        _toProbe.Enqueue(assignment);
    }

    /// <summary>Has a partition fetched again that was held; where its lane is paused, with its lane.</summary>
    private void Release(IConsumer<byte[]?, byte[]?> consumer, PartitionAssignment assignment)
    {
        if (!assignment.IsHeld)
            return;
        assignment.IsHeld = false;
        if (!_lanes[LaneOf(assignment.Partition.Partition)].Paused)
            consumer.Resume([assignment.Partition]);
    }

    /// <summary>
    /// Whether a record is one to handle. The first that comes after something was passed over need not be: it may be from before the offset that was
    /// sought. And of a later leader epoch than what came before it says nothing of what is before it: reading begins at the end of that, for the lane to see.
    /// </summary>
    private bool IsToHandle(IConsumer<byte[]?, byte[]?> consumer, PartitionAssignment assignment, ConsumeResult<byte[]?, byte[]?> record)
    {
        if (assignment is { Ended: false, Sought: { } sought })
        {
            if (SoughtOffset.LaterEpochOf(record, assignment.LeaderEpoch, isLaterIfUnknown: assignment.Position is { IsBehindUnreadable: true }) is { } epoch)
            {
                var last = Math.Max(0, sought - 1);
                assignment.End();
                Seek(consumer, new(assignment.Partition) { Start = last, IsAnotherLog = assignment.IsAnotherLog, LeaderEpoch = epoch }, last);
                return false;
            }
            if (SoughtOffset.IsBehind(consumer, record, sought))
                return false;
            assignment.Sought = null;
        }
        assignment.LeaderEpoch = record.LeaderEpoch;
        return true;
    }

    /// <summary>
    /// Where there are records and none comes, the next batch may be one that no client can read; so it may where a fetch is refused, though the log ends
    /// before what has to come: it lost its end, and reading has begun again at a batch that is damaged. It is passed over, once that is certain:
    /// its offsets become a dead letter, and what is behind them is handled. One that is held is probed again, where the broker did not answer; of several
    /// the one that was probed longest ago, so that none waits for a broker that another waits for.
    /// </summary>
    private void FindUnreadable(IConsumer<byte[]?, byte[]?> consumer, CancellationToken stoppingToken)
    {
        if (!_probing.IsCompleted || _backlog.IsFull)
            return;
        var stands = _assignments.Values.Where(assignment => assignment.IsHeld || (Stopwatch.GetElapsedTime(assignment.ArrivedAt) > InspectionInterval
            && !_lanes[LaneOf(assignment.Partition.Partition)].Paused && (assignment.Awaited == assignment.Start || assignment.Position?.Next >= assignment.Awaited)
            && (assignment.IsRefused || (consumer.GetWatermarkOffsets(assignment.Partition).High is { IsSpecial: false } end && end.Value > (assignment.Awaited ?? 0))))).MinBy(assignment => assignment.ProbedAt);
        if (stands is not null)
            Probe(stands, stoppingToken);
    }

    /// <summary>What is held waits for nothing else: that there is something wrong is known.</summary>
    private void ProbeHeld(CancellationToken stoppingToken)
    {
        while (_probing.IsCompleted && _toProbe.TryDequeue(out var held))
        {
            if (held is { IsHeld: true, Ended: false })
                Probe(held, stoppingToken);
        }
    }

    private void Probe(PartitionAssignment stands, CancellationToken stoppingToken)
    {
        var awaited = stands.Awaited;
        // what is refused still is so again before the next look
        (stands.ProbedAt, stands.IsRefused) = (Stopwatch.GetTimestamp(), false);
        _probing = Task.Run(() =>
        {
            var first = awaited ?? Bounds(stands.Partition).First;
            if (readability.FindReadable(stands.Partition, first, _ => !stoppingToken.IsCancellationRequested && !stands.Ended) is not { } next)
                return;
            if (next >= first)
            {
                _commands.Enqueue(consumer => PassOver(consumer, stands, first, next));
                return;
            }
            var begin = Bounds(stands.Partition).First;
            _commands.Enqueue(consumer => ReadAnother(consumer, stands, first, begin));
        }, stoppingToken);
    }

    /// <summary>Reads a log that ends before <paramref name="first"/>, which was to come: it lost its end, or was made anew; whether its start can be read is seen then.</summary>
    private void ReadAnother(IConsumer<byte[]?, byte[]?> consumer, PartitionAssignment assignment, long first, long begin)
    {
        if (assignment.Ended || assignment.Awaited != first)
            return;
        assignment.End();
        Seek(consumer, new(assignment.Partition) { Start = begin, IsAnotherLog = true }, begin);
    }

    /// <summary>Goes on at <paramref name="next"/>; where that is <paramref name="first"/>, nothing is wrong there, or not any more.</summary>
    private void PassOver(IConsumer<byte[]?, byte[]?> consumer, PartitionAssignment assignment, long first, long next)
    {
        if (assignment.Ended || (assignment.Awaited ?? first) != first || (next == first && !assignment.IsHeld))
            return;
        assignment.Sought = next;
        consumer.Seek(new(assignment.Partition, new Offset(next)));
        Release(consumer, assignment);
        if (next > first)
            Enqueue(ConsumedRecord.InPlaceOf(assignment.Partition, first, next, time.GetUtcNow()), assignment);
    }
}
