using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;
using Shop.Contracts;
using Shop.Messaging.Events;
using Shop.Messaging.Workers;

namespace Shop.Messaging.Kafka;

/// <summary>
/// Creates the topics a service needs when they are not there; many services may do so at once. Those that are there are only checked, so a
/// broker that lets nobody create topics is one to work with.
/// </summary>
internal sealed partial class TopicCreation(KafkaConnection kafka, EventTypes eventTypes, MessagingOptions options, TimeProvider time, ILogger<TopicCreation> logger)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>Short, since the client cannot be told to stop waiting: a service whose broker is away has to stop all the same.</summary>
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(3);

    /// <summary>A broker shows topics that it has made within moments.</summary>
    private static readonly TimeSpan LongestPropagation = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private Task? _all;

    /// <summary>Returns when every topic of the service exists; relay and endpoints ask for it at their start, and it is done once.</summary>
    /// <exception cref="InvalidOperationException">Topics that exist are not what the service needs; whoever asks again later has them checked again.</exception>
    public Task EnsureAllAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            _all = _all is { IsFaulted: false, IsCanceled: false } ? _all : EnsureAsync(eventTypes.Topics, cancellationToken);
        return _all.WaitAsync(cancellationToken);
    }

    /// <summary>Returns when every topic exists; waits for a broker that is not there yet.</summary>
    public async Task EnsureAsync(IReadOnlyCollection<Topic> topics, CancellationToken cancellationToken)
    {
        using var admin = kafka.CreateAdmin();
        var missing = topics.ToList();
        var existing = new Dictionary<string, int>();
        var said = new SaidReason();
        long? madeAt = null;
        while (missing.Count > 0)
        {
            try
            {
                foreach (var (name, partitions) in await TopicCheck.PartitionsAsync(admin, [.. missing.Select(topic => topic.Name)], RequestTimeout))
                    existing[name] = partitions;
                if (missing.RemoveAll(topic => existing.ContainsKey(topic.Name)) > 0)
                    madeAt = null;
                if (missing.Count == 0)
                    break;
                await admin.CreateTopicsAsync(missing.Select(Specification), new() { RequestTimeout = RequestTimeout });
                // one that is made stays missing until the metadata shows it: whoever asks for it before is told that there is none
                madeAt ??= time.GetTimestamp();
                continue;
            }
            catch (CreateTopicsException e)
            {
                // nor is one that has appeared meanwhile there before it is shown; being somebody else's, it is checked
                if (e.Results.Any(result => result.Error.Code is not (ErrorCode.NoError or ErrorCode.TopicAlreadyExists)))
                    Say(e.Message);
                else if (time.GetElapsedTime(madeAt ??= time.GetTimestamp()) > LongestPropagation && said.IsNew(nameof(TopicsNotShown)))
                    TopicsNotShown(logger, string.Join(", ", missing));
            }
            catch (KafkaException e)
            {
                Say(e.Message);
            }
            await Task.Delay(RetryDelay, cancellationToken);
        }
        if (existing.Count > 0)
            await CheckAsync(admin, topics, existing);

        void Say(string reason)
        {
            if (said.IsNew(reason))
                TopicsNotCreated(logger, string.Join(", ", missing), reason);
        }
    }

    private async Task CheckAsync(IAdminClient admin, IReadOnlyCollection<Topic> topics, Dictionary<string, int> partitions)
    {
        var faults = options.Endpoints.SelectMany(endpoint => TopicCheck.Unequal(endpoint.Topics, partitions)).ToHashSet();
        foreach (var (topic, policy) in await TopicCheck.CleanupPoliciesAsync(admin, topics, RequestTimeout))
        {
            if (!topic.Compacted && policy.Contains("compact", StringComparison.Ordinal))
                faults.Add($"the topic {topic.Name} has cleanup.policy={policy}, which drops all but the last event of a key: it must be delete");
            else if (topic.Compacted && policy != "compact")
                TopicNotCompacted(logger, topic.Name, policy);
        }
        if (faults.Count > 0)
            throw new InvalidOperationException($"The service cannot work with the topics that are there: {string.Join("; ", faults)}");
    }

    /// <summary>What is asked of the broker for a topic.</summary>
    internal static TopicSpecification Specification(Topic topic) => new()
    {
        Name = topic.Name,
        NumPartitions = topic.Partitions,
        ReplicationFactor = -1,
        Configs = new()
        {
            ["cleanup.policy"] = topic.Compacted ? "compact" : "delete",
            // the event topics are the archive: nothing of them is dropped by age or size unless they say so
            ["retention.ms"] = Limit((long?)topic.Retention?.Age.TotalMilliseconds),
            ["retention.bytes"] = Limit(topic.Retention?.PartitionBytes),
        },
    };

    private static string Limit(long? most) => (most ?? -1).ToString(CultureInfo.InvariantCulture);

    [LoggerMessage(EventName = "TopicNotCompacted", Level = LogLevel.Warning, Message = "The topic {Topic} has cleanup.policy={Policy}, not compact: it grows with every change, or loses what did not change for long")]
    private static partial void TopicNotCompacted(ILogger logger, string topic, string policy);

    [LoggerMessage(EventName = "TopicsNotShown", Level = LogLevel.Warning, Message = "The broker says that the topics {Topics} exist, and does not show them: nothing is read or published before it does. The service may lack the right to describe them")]
    private static partial void TopicsNotShown(ILogger logger, string topics);

    [LoggerMessage(EventName = "TopicsNotCreated", Level = LogLevel.Warning, Message = "Topics {Topics} could not be created yet: {Reason}")]
    private static partial void TopicsNotCreated(ILogger logger, string topics, string reason);
}
