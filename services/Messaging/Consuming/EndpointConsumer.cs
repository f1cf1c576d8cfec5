using System.Collections.Concurrent;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shop.Messaging.Consuming;
using Shop.Messaging.Kafka;

namespace Shop.Messaging;

/// <summary>
/// Reads one endpoint's topics. One thread polls Kafka, so that the consumer stays in its group however slow a handler is;
/// it sorts the records into lanes, one for each partition number, which work in parallel.
/// </summary>
internal sealed partial class EndpointConsumer : BackgroundService
{
    private static readonly TimeSpan PollTimeout = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RestartDelay = TimeSpan.FromSeconds(1);

    private readonly EndpointOptions _endpoint;
    private readonly MessagingOptions _options;
    private readonly EventTypes _eventTypes;
    private readonly KafkaConnection _kafka;
    private readonly TopicCreation _topics;
    private readonly MessagingHealth _health;
    private readonly IServiceProvider _services;
    private readonly ILogger<EndpointConsumer> _logger;
    private readonly Dictionary<TopicPartition, PartitionAssignment> _assignments = [];
    private readonly Dictionary<int, Lane> _lanes = [];

    /// <summary>Work for the polling thread: the only one that changes assignments.</summary>
    private readonly ConcurrentQueue<Action<IConsumer<byte[]?, byte[]?>>> _commands = new();

    public EndpointConsumer(EndpointOptions endpoint, MessagingOptions options, EventTypes eventTypes, KafkaConnection kafka, TopicCreation topics,
        MessagingHealth health, IServiceProvider services, ILogger<EndpointConsumer> logger)
    {
        _endpoint = endpoint;
        _options = options;
        _eventTypes = eventTypes;
        _kafka = kafka;
        _topics = topics;
        _health = health;
        _services = services;
        _logger = logger;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // yields, so that a broker that is away does not hold up the start of the host
        await Task.Yield();
        await _topics.EnsureAsync(_eventTypes.Topics, stoppingToken);
        var processor = ActivatorUtilities.CreateInstance<BatchProcessor>(_services, _endpoint);
        while (!stoppingToken.IsCancellationRequested)
        {
            var polling = Task.Factory.StartNew(() => Poll(processor, stoppingToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            try
            {
                await polling;
            }
            catch (KafkaException e)
            {
                ConsumerFailed(_logger, _endpoint.Name, e.Message);
                await Task.Delay(RestartDelay, stoppingToken);
            }
            await EndLanesAsync();
        }
    }

    private void Poll(BatchProcessor processor, CancellationToken stoppingToken)
    {
        using var consumer = new ConsumerBuilder<byte[]?, byte[]?>(_kafka.Consumer(_options.ServiceName, _endpoint.Name, _options.InstanceName))
            .SetLogHandler((_, message) => KafkaLog.Write(_logger, message))
            .SetErrorHandler((_, error) => KafkaLog.Write(_logger, error))
            .SetPartitionsAssignedHandler((source, partitions) => Assign(source, processor, partitions, stoppingToken))
            .SetPartitionsRevokedHandler((_, partitions) => Unassign(partitions.Select(partition => partition.TopicPartition)))
            .SetPartitionsLostHandler((_, partitions) => Unassign(partitions.Select(partition => partition.TopicPartition)))
            .Build();
        consumer.Subscribe(_endpoint.Topics.Select(topic => topic.Name));
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                while (_commands.TryDequeue(out var command))
                    command(consumer);
                try
                {
                    if (consumer.Consume(PollTimeout) is { } result && _assignments.TryGetValue(result.TopicPartition, out var assignment))
                        _lanes[result.Partition.Value].Enqueue(new(ConsumedRecord.From(result), assignment));
                }
                catch (ConsumeException e) when (!e.Error.IsFatal)
                {
                    ConsumeInterrupted(_logger, _endpoint.Name, e.Error.Reason);
                }
            }
        }
        finally
        {
            Unassign([.. _assignments.Keys]);
            consumer.Close();
        }
    }

    private void Assign(IConsumer<byte[]?, byte[]?> consumer, BatchProcessor processor, List<TopicPartition> partitions, CancellationToken stoppingToken)
    {
        foreach (var partition in partitions)
        {
            _assignments[partition] = new(partition);
            if (!_lanes.ContainsKey(partition.Partition.Value))
                _lanes[partition.Partition.Value] = new(_endpoint, processor, new(consumer, SeekLater, PauseLane), partition.Partition.Value, _logger, stoppingToken);
        }
        _health.Joined(_endpoint.Name);
        if (partitions.Count > 0)
            PartitionsAssigned(_logger, _endpoint.Name, string.Join(", ", partitions));
    }

    private void Unassign(IEnumerable<TopicPartition> partitions)
    {
        foreach (var partition in partitions)
        {
            if (_assignments.Remove(partition, out var assignment))
                assignment.End();
        }
    }

    /// <summary>Reads a partition again from <paramref name="offset"/>: what was read under <paramref name="assignment"/> is dropped.</summary>
    private void SeekLater(PartitionAssignment assignment, long offset)
    {
        assignment.End();
        _commands.Enqueue(consumer =>
        {
            if (!_assignments.TryGetValue(assignment.Partition, out var current) || current != assignment)
                return;
            _assignments[assignment.Partition] = new(assignment.Partition) { NextOffset = offset };
            consumer.Seek(new(assignment.Partition, new Offset(offset)));
            PartitionSought(_logger, _endpoint.Name, assignment.Partition, offset);
        });
    }

    /// <summary>Stops or resumes fetching a lane's partitions, so that the records waiting in memory stay few.</summary>
    private void PauseLane(int lane, bool pause) => _commands.Enqueue(consumer =>
    {
        var partitions = _assignments.Keys.Where(partition => partition.Partition.Value == lane).ToList();
        if (partitions.Count == 0)
            return;
        if (pause)
            consumer.Pause(partitions);
        else
            consumer.Resume(partitions);
    });

    private async Task EndLanesAsync()
    {
        foreach (var lane in _lanes.Values)
            await lane.EndAsync();
        _lanes.Clear();
        _commands.Clear();
    }

    [LoggerMessage(EventName = "PartitionsAssigned", Level = LogLevel.Information, Message = "{Endpoint} was assigned {Partitions}")]
    private static partial void PartitionsAssigned(ILogger logger, string endpoint, string partitions);

    [LoggerMessage(EventName = "PartitionSought", Level = LogLevel.Information, Message = "{Endpoint} reads {Partition} again from offset {Offset}")]
    private static partial void PartitionSought(ILogger logger, string endpoint, TopicPartition partition, long offset);

    [LoggerMessage(EventName = "ConsumeInterrupted", Level = LogLevel.Warning, Message = "{Endpoint} could not consume for a moment: {Reason}")]
    private static partial void ConsumeInterrupted(ILogger logger, string endpoint, string reason);

    [LoggerMessage(EventName = "ConsumerFailed", Level = LogLevel.Error, Message = "{Endpoint} lost its consumer and makes a new one: {Reason}")]
    private static partial void ConsumerFailed(ILogger logger, string endpoint, string reason);
}
