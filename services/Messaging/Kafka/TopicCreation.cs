using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;
using Shop.Contracts;
using Shop.Messaging.Events;

namespace Shop.Messaging.Kafka;

/// <summary>Creates the topics a service needs when they are not there; many services may do so at once.</summary>
internal sealed partial class TopicCreation(KafkaConnection kafka, EventTypes eventTypes, ILogger<TopicCreation> logger)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>Short, since the client cannot be told to stop waiting: a service whose broker is away has to stop all the same.</summary>
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(3);

    private readonly Lock _lock = new();
    private Task? _all;

    /// <summary>Returns when every topic of the service exists; relay and endpoints ask for it at their start, and it is done once.</summary>
    public Task EnsureAllAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            _all ??= EnsureAsync(eventTypes.Topics, cancellationToken);
        return _all.WaitAsync(cancellationToken);
    }

    /// <summary>Returns when every topic exists; waits for a broker that is not there yet.</summary>
    public async Task EnsureAsync(IReadOnlyCollection<Topic> topics, CancellationToken cancellationToken)
    {
        using var admin = new AdminClientBuilder(kafka.Admin()).SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
        var missing = topics.ToList();
        while (missing.Count > 0)
        {
            try
            {
                await admin.CreateTopicsAsync(missing.Select(Specification), new() { RequestTimeout = RequestTimeout });
                missing.Clear();
            }
            catch (CreateTopicsException e)
            {
                missing.RemoveAll(topic => e.Results.Any(result => result.Topic == topic.Name
                    && result.Error.Code is ErrorCode.NoError or ErrorCode.TopicAlreadyExists));
                if (missing.Count > 0)
                    TopicsNotCreated(logger, string.Join(", ", missing), e.Message);
            }
            catch (KafkaException e)
            {
                TopicsNotCreated(logger, string.Join(", ", missing), e.Message);
            }
            if (missing.Count > 0)
                await Task.Delay(RetryDelay, cancellationToken);
        }
    }

    private static TopicSpecification Specification(Topic topic) => new()
    {
        Name = topic.Name,
        NumPartitions = topic.Partitions,
        ReplicationFactor = -1,
        Configs = new()
        {
            ["cleanup.policy"] = topic.Compacted ? "compact" : "delete",
            // the event topics are the archive: nothing of them is ever dropped by age or size
            ["retention.ms"] = "-1",
            ["retention.bytes"] = "-1",
        },
    };

    [LoggerMessage(EventName = "TopicsNotCreated", Level = LogLevel.Warning, Message = "Topics {Topics} could not be created yet: {Reason}")]
    private static partial void TopicsNotCreated(ILogger logger, string topics, string reason);
}
