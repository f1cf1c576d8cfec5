using System.Collections.Concurrent;
using System.Diagnostics;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Shop.Messaging.Kafka;
using Shop.Messaging.Operations;

namespace Shop.Messaging.Consuming;

/// <summary>
/// One consumer, from its start to its end. One thread polls Kafka, so that the consumer stays in its group however slow a handler
/// is; it sorts the records into lanes, one for each partition number, which work in parallel.
/// </summary>
internal sealed partial class PartitionFeed(EndpointOptions endpoint, BatchProcessor processor, MessagingOptions options, KafkaConnection kafka,
    MessagingHealth health, MessagingGauges gauges, ILogger<PartitionFeed> logger) : IPartitionFeed
{
    private static readonly TimeSpan PollTimeout = TimeSpan.FromMilliseconds(100);

    /// <summary>How long reading waits for a full backlog before it looks for a lane that holds up the others.</summary>
    private static readonly TimeSpan BacklogTimeout = TimeSpan.FromMilliseconds(200);

    /// <summary>Kafka is polled at least this often, however full the backlog is: that keeps the consumer in its group and lets it hear of rebalances.</summary>
    private static readonly TimeSpan LongestPollPause = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LagInterval = TimeSpan.FromSeconds(5);

    private readonly Dictionary<TopicPartition, PartitionAssignment> _assignments = [];
    private readonly Dictionary<int, Lane> _lanes = [];
    private readonly Backlog _backlog = new();

    /// <summary>Work for the polling thread: the only one that changes assignments.</summary>
    private readonly ConcurrentQueue<Action<IConsumer<byte[]?, byte[]?>>> _commands = new();

    /// <summary>
    /// Reads single records for the comparison of logs. It connects while the endpoint joins its group, so that the first record of a
    /// partition does not wait for a connection.
    /// </summary>
    private readonly Lazy<IConsumer<byte[]?, byte[]?>> _lookup = new(() =>
        new ConsumerBuilder<byte[]?, byte[]?>(kafka.Lookup(options.ServiceName)).SetLogHandler((_, _) => { }).Build());
    private readonly Lock _lookupLock = new();
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
            if (_lookup.IsValueCreated)
                _lookup.Value.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Seek(PartitionAssignment assignment, long offset)
    {
        assignment.End();
        _commands.Enqueue(consumer =>
        {
            if (!_assignments.TryGetValue(assignment.Partition, out var current) || current != assignment)
                return;
            _assignments[assignment.Partition] = new(assignment.Partition);
            consumer.Seek(new(assignment.Partition, new Offset(offset)));
            PartitionSought(logger, endpoint.Name, assignment.Partition, offset);
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
    public LogDivergence? FindDivergence(TopicPartition partition, long next, byte[]? lastRecord, DateTimeOffset since)
    {
        lock (_lookupLock)
            return LogDivergence.Find(_lookup.Value, partition, next, lastRecord, since);
    }

    private void Poll(CancellationToken stoppingToken)
    {
        using var consumer = new ConsumerBuilder<byte[]?, byte[]?>(kafka.Consumer(options.ServiceName, endpoint.Name, options.InstanceName))
            .SetLogHandler((_, message) => KafkaLog.Write(logger, message))
            .SetErrorHandler((_, error) => KafkaLog.Write(logger, error))
            .SetPartitionsAssignedHandler((_, partitions) => Assign(partitions, stoppingToken))
            .SetPartitionsRevokedHandler((_, partitions) => Unassign(partitions.Select(partition => partition.TopicPartition)))
            .SetPartitionsLostHandler((_, partitions) => Unassign(partitions.Select(partition => partition.TopicPartition)))
            .Build();
        _consumer = consumer;
        _ = _lookup.Value;
        consumer.Subscribe(endpoint.Topics.Select(topic => topic.Name));
        long polledAt = Stopwatch.GetTimestamp(), measuredAt = polledAt;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                while (_commands.TryDequeue(out var command))
                    command(consumer);
                ResumeLanes(consumer);
                if (Stopwatch.GetElapsedTime(measuredAt) > LagInterval)
                {
                    measuredAt = Stopwatch.GetTimestamp();
                    MeasureLag(consumer);
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
                    if (consumer.Consume(PollTimeout) is { } result && _assignments.TryGetValue(result.TopicPartition, out var assignment))
                        _lanes[result.Partition.Value].Enqueue(new(ConsumedRecord.From(result), assignment));
                }
                catch (ConsumeException e) when (!e.Error.IsFatal)
                {
                    ConsumeInterrupted(logger, endpoint.Name, e.Error.Reason);
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

    private void Assign(List<TopicPartition> partitions, CancellationToken stoppingToken)
    {
        foreach (var partition in partitions)
        {
            _assignments[partition] = new(partition);
            if (_lanes.TryGetValue(partition.Partition.Value, out var lane))
            {
                // a partition begins anew unpaused, whatever waits in its lane
                _backlog.PausedLanes -= lane.Paused ? 1 : 0;
                lane.Paused = false;
            }
            else
            {
                _lanes[partition.Partition.Value] = new(endpoint, processor, this, _backlog, partition.Partition.Value, options.MaxConsumeBatch, logger, stoppingToken);
            }
        }
        health.Joined(endpoint.Name);
        if (partitions.Count > 0)
            PartitionsAssigned(logger, endpoint.Name, string.Join(", ", partitions));
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
            consumer.Resume(PartitionsOf(number));
        }
    }

    /// <summary>The end of each partition as the client saw it last, less what is committed to the database.</summary>
    private void MeasureLag(IConsumer<byte[]?, byte[]?> consumer)
    {
        foreach (var (partition, assignment) in _assignments)
        {
            if (assignment.NextOffset is { } next && consumer.GetWatermarkOffsets(partition) is { High.IsSpecial: false } watermarks)
                gauges.Lag(endpoint.Name, partition.Topic, partition.Partition.Value, Math.Max(0, watermarks.High.Value - next));
        }
    }

    private List<TopicPartition> PartitionsOf(int number) => [.. _assignments.Keys.Where(partition => partition.Partition.Value == number)];

    [LoggerMessage(EventName = "PartitionsAssigned", Level = LogLevel.Information, Message = "{Endpoint} was assigned {Partitions}")]
    private static partial void PartitionsAssigned(ILogger logger, string endpoint, string partitions);

    [LoggerMessage(EventName = "LanePaused", Level = LogLevel.Information, Message = "{Endpoint} does not read partition {Partition} for now: {Waiting} records of it wait to be handled")]
    private static partial void LanePaused(ILogger logger, string endpoint, int partition, int waiting);

    [LoggerMessage(EventName = "PartitionSought", Level = LogLevel.Information, Message = "{Endpoint} reads {Partition} again from offset {Offset}")]
    private static partial void PartitionSought(ILogger logger, string endpoint, TopicPartition partition, long offset);

    [LoggerMessage(EventName = "ConsumeInterrupted", Level = LogLevel.Warning, Message = "{Endpoint} could not consume for a moment: {Reason}")]
    private static partial void ConsumeInterrupted(ILogger logger, string endpoint, string reason);
}
