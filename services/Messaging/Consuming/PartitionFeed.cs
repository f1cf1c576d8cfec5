using System.Collections.Concurrent;
using System.Diagnostics;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Shop.Messaging.Kafka;
using Shop.Messaging.Operations;

namespace Shop.Messaging.Consuming;

/// <summary>
/// One consumer, from its start to its end. One thread polls Kafka, so that the consumer stays in its group however slow a handler
/// is; it sorts the records into lanes by their partition's number, which work in parallel.
/// </summary>
internal sealed partial class PartitionFeed(EndpointOptions endpoint, BatchProcessor processor, MessagingOptions options, KafkaConnection kafka, TopicIdentities topicIdentities,
    ReadabilityProbe readability, KafkaLog kafkaLog, MessagingHealth health, MessagingGauges gauges, TimeProvider time, ILogger<PartitionFeed> logger) : IPartitionFeed
{
    private static readonly TimeSpan PollTimeout = TimeSpan.FromMilliseconds(100);

    /// <summary>How long reading waits for a full backlog before it looks for a lane that holds up the others.</summary>
    private static readonly TimeSpan BacklogTimeout = TimeSpan.FromMilliseconds(200);

    /// <summary>Kafka is polled at least this often, however full the backlog is: that keeps the consumer in its group and lets it hear of rebalances.</summary>
    private static readonly TimeSpan LongestPollPause = TimeSpan.FromSeconds(1);

    /// <summary>A topic that is made anew has no records for longer than this: a fetch from one that is gone is repeated after the backoff. Asking costs a round trip.</summary>
    private static readonly TimeSpan Lull = 0.8 * KafkaConnection.FetchErrorBackoff;

    /// <summary>How often lag is measured, and topics that were made anew and batches that cannot be read are looked for.</summary>
    private static readonly TimeSpan InspectionInterval = TimeSpan.FromSeconds(5);

    /// <summary>How long the broker may take to answer what has to be known before the next step.</summary>
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(5);

    /// <summary>As many as work at once: one a partition makes smaller transactions, a third more CPU time at 200 records/s. Two at least: a lane waits for commits, too.</summary>
    internal static readonly int Lanes = Math.Max(2, Environment.ProcessorCount);

    private readonly Dictionary<TopicPartition, PartitionAssignment> _assignments = [];
    private readonly Dictionary<int, Lane> _lanes = [];
    private readonly Backlog _backlog = new();

    /// <summary>Work for the polling thread: the only one that changes assignments.</summary>
    private readonly ConcurrentQueue<Action<IConsumer<byte[]?, byte[]?>>> _commands = new();

    private IConsumer<byte[]?, byte[]?>? _consumer;

    /// <summary>Consumes until the service stops, or the consumer fails, which is thrown; no lane is at work any more when this returns.</summary>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Task.Factory.StartNew(() => Poll(stoppingToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            foreach (var lane in _lanes.Values)
                await lane.EndAsync();
            await _probing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <inheritdoc/>
    public void Seek(PartitionAssignment assignment, long start)
    {
        assignment.End();
        _commands.Enqueue(consumer =>
        {
            if (_assignments.TryGetValue(assignment.Partition, out var current) && current == assignment)
                Seek(consumer, new(assignment.Partition) { Start = start, LeaderEpoch = assignment.LeaderEpoch }, start);
        });
    }

    /// <inheritdoc/>
    public void StoreOffset(TopicPartition partition, long next)
    {
        try
        {
            _consumer!.StoreOffset(new TopicPartitionOffset(partition, new Offset(next)));
        }
        catch (Exception e) when (e is KafkaException or ObjectDisposedException)
        {
            // lost in this moment: the next owner starts from the offset row
        }
    }

    /// <inheritdoc/>
    public (long First, long End) Bounds(TopicPartition partition)
    {
        var bounds = _consumer!.QueryWatermarkOffsets(partition, RequestTimeout);
        return (bounds.Low.Value, bounds.High.Value);
    }

    /// <inheritdoc/>
    public long FirstSince(TopicPartition partition, DateTimeOffset since)
    {
        var first = _consumer!.OffsetsForTimes([new(partition, new Timestamp(since))], RequestTimeout)[0].Offset;
        return first.IsSpecial ? Bounds(partition).End : first.Value;
    }

    private void Poll(CancellationToken stoppingToken)
    {
        using var consumer = kafkaLog.Attach(new ConsumerBuilder<byte[]?, byte[]?>(kafka.Consumer(options.ServiceName, endpoint.Name, options.InstanceName)))
            .SetPartitionsAssignedHandler((consumer, partitions) => Assign(consumer, partitions, stoppingToken))
            .SetPartitionsRevokedHandler((consumer, partitions) => Revoke(consumer, partitions))
            .SetPartitionsLostHandler((consumer, partitions) => Revoke(consumer, partitions))
            .Build();
        _consumer = consumer;
        consumer.Subscribe(endpoint.Topics.Select(topic => topic.Name));
        long polledAt = Stopwatch.GetTimestamp(), inspectedAt = polledAt;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                while (_commands.TryDequeue(out var command))
                    command(consumer);
                ResumeLanes(consumer);
                ProbeHeld(stoppingToken);
                if (Stopwatch.GetElapsedTime(inspectedAt) > InspectionInterval)
                {
                    inspectedAt = Stopwatch.GetTimestamp();
                    MeasureLag(consumer);
                    FindRemadeTopics(consumer);
                    FindUnreadable(consumer, stoppingToken);
                }
                if (_backlog.IsFull && Stopwatch.GetElapsedTime(polledAt) < LongestPollPause)
                {
                    if (!_backlog.WaitUntilShrunk(BacklogTimeout, stoppingToken))
                        PauseLongestLane(consumer);
                    continue;
                }
                polledAt = Stopwatch.GetTimestamp();
                try
                {
                    if (consumer.Consume(PollTimeout) is { } result && _assignments.TryGetValue(result.TopicPartition, out var assignment) && IsToHandle(consumer, assignment, result))
                        Enqueue(ConsumedRecord.From(result), assignment);
                }
                catch (ConsumeException e) when (!e.Error.IsFatal)
                {
                    kafkaLog.Write(e.Error);
                    // of no topic where it is about an answer of the group's
                    if (e.ConsumerRecord.Topic is not null)
                        NoteDamage(consumer, e.ConsumerRecord.TopicPartition, e.Error.Code);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // stopped while the backlog was full
        }
        finally
        {
            Unassign([.. _assignments.Keys]);
            consumer.Close();
        }
    }

    private void Seek(IConsumer<byte[]?, byte[]?> consumer, PartitionAssignment assignment, long start)
    {
        var before = _assignments[assignment.Partition];
        _assignments[assignment.Partition] = assignment;
        consumer.Seek(new(assignment.Partition, new Offset(start)));
        Release(consumer, before);
        PartitionSought(logger, endpoint.Name, assignment.Partition, start);
    }

    private void Enqueue(ConsumedRecord record, PartitionAssignment assignment)
    {
        // set before the record is in the lane, which waits for it
        if (Stopwatch.GetElapsedTime(assignment.ArrivedAt) > Lull)
            assignment.TopicId = topicIdentities.FindAsync(record.Topic);
        (assignment.ArrivedAt, assignment.Awaited, assignment.IsRefused) = (Stopwatch.GetTimestamp(), record.Offset + 1, false);
        _lanes[LaneOf(record.Partition)].Enqueue(new(record, assignment));
    }

    /// <summary>Where a topic was made anew and nothing comes any more, what is on it already has to be read all the same.</summary>
    private void FindRemadeTopics(IConsumer<byte[]?, byte[]?> consumer)
    {
        // an outage is over when the broker has answered: it has to be asked also where no partition is there to ask about
        if (_assignments.Count == 0 && kafkaLog.IsAway)
            _ = topicIdentities.FindAsync(endpoint.Topics[0].Name);
        foreach (var assignment in _assignments.Values.ToList())
        {
            var answer = assignment.TopicId;
            assignment.TopicId = topicIdentities.FindAsync(assignment.Partition.Topic);
            if (!answer.IsCompletedSuccessfully || !assignment.IsAnotherTopic(answer.Result))
                continue;
            assignment.End();
            Seek(consumer, new(assignment.Partition) { Start = 0, IsAnotherLog = true }, 0);
        }
    }

    /// <returns>Where to begin.</returns>
    private List<TopicPartitionOffset> Assign(IConsumer<byte[]?, byte[]?> consumer, List<TopicPartition> partitions, CancellationToken stoppingToken)
    {
        var starts = ConsumerStart.AtLastRecords(consumer, partitions, RequestTimeout);
        foreach (var (partition, start) in starts.Select(start => (start.TopicPartition, start.Offset)))
        {
            _assignments[partition] = new(partition) { Start = start.IsSpecial ? null : start.Value, TopicId = topicIdentities.FindAsync(partition.Topic) };
            if (_lanes.TryGetValue(LaneOf(partition.Partition), out var lane))
            {
                // a partition begins anew unpaused, whatever waits in its lane: it was resumed when it was revoked
                _backlog.PausedLanes -= lane.Paused ? 1 : 0;
                lane.Paused = false;
            }
            else
            {
                _lanes[LaneOf(partition.Partition)] = new(endpoint, processor, this, _backlog, LaneOf(partition.Partition), endpoint.MaxBatch, logger, stoppingToken);
            }
        }
        health.Joined(endpoint.Name);
        if (partitions.Count > 0)
            PartitionsAssigned(logger, endpoint.Name, string.Join(", ", partitions));
        return starts;
    }

    private void Revoke(IConsumer<byte[]?, byte[]?> consumer, List<TopicPartitionOffset> revoked)
    {
        var partitions = revoked.ConvertAll(partition => partition.TopicPartition);
        // librdkafka would remember that it was paused, and not fetch it when it is assigned again
        consumer.Resume(partitions.Where(partition => _assignments.TryGetValue(partition, out var assignment) && (assignment.IsHeld || _lanes[LaneOf(partition.Partition)].Paused)));
        Unassign(partitions);
    }

    private void Unassign(IEnumerable<TopicPartition> partitions)
    {
        foreach (var partition in partitions)
        {
            if (_assignments.Remove(partition, out var assignment))
                assignment.End();
            gauges.Lag(endpoint.Name, partition.Topic, partition.Partition.Value, null);
        }
    }

    /// <summary>
    /// Where the backlog is full and yet a lane has nothing to do, the longest lane holds up the others: its partitions are not
    /// fetched until it is through. Only then, since librdkafka drops what it has fetched of a partition that is paused.
    /// </summary>
    private void PauseLongestLane(IConsumer<byte[]?, byte[]?> consumer)
    {
        var (number, longest) = _lanes.Where(lane => !lane.Value.Paused).MaxBy(lane => lane.Value.Waiting);
        if (longest is null or { Waiting: 0 } || _lanes.Values.All(lane => lane.Waiting > 0))
            return;
        longest.Paused = true;
        _backlog.PausedLanes++;
        consumer.Pause(PartitionsOf(number));
        LanePaused(logger, endpoint.Name, number, longest.Waiting);
    }

    private void ResumeLanes(IConsumer<byte[]?, byte[]?> consumer)
    {
        foreach (var (number, lane) in _lanes)
        {
            if (!lane.Paused || lane.Waiting > 0)
                continue;
            lane.Paused = false;
            _backlog.PausedLanes--;
            consumer.Resume(PartitionsOf(number).Where(partition => !_assignments[partition].IsHeld));
        }
    }

    /// <summary>The end of each partition as the client saw it last, less what is committed to the database.</summary>
    private void MeasureLag(IConsumer<byte[]?, byte[]?> consumer)
    {
        foreach (var (partition, assignment) in _assignments)
        {
            if (assignment.Position?.Next is { } next && consumer.GetWatermarkOffsets(partition) is { High.IsSpecial: false } watermarks)
                gauges.Lag(endpoint.Name, partition.Topic, partition.Partition.Value, Math.Max(0, watermarks.High.Value - next));
        }
    }

    private static int LaneOf(int partition) => partition % Lanes;

    private List<TopicPartition> PartitionsOf(int lane) => [.. _assignments.Keys.Where(partition => LaneOf(partition.Partition) == lane)];

    [LoggerMessage(EventName = "PartitionsAssigned", Level = LogLevel.Information, Message = "{Endpoint} was assigned {Partitions}")]
    private static partial void PartitionsAssigned(ILogger logger, string endpoint, string partitions);

    [LoggerMessage(EventName = "LanePaused", Level = LogLevel.Information, Message = "{Endpoint} does not read lane {Lane} for now: {Waiting} records of it wait to be handled")]
    private static partial void LanePaused(ILogger logger, string endpoint, int lane, int waiting);

    [LoggerMessage(EventName = "PartitionSought", Level = LogLevel.Information, Message = "{Endpoint} reads {Partition} again from offset {Offset}")]
    private static partial void PartitionSought(ILogger logger, string endpoint, TopicPartition partition, long offset);
}
