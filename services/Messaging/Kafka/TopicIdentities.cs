using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Shop.Messaging.Kafka;

/// <summary>
/// Tells a topic from one of the same name: its id. Where a topic is deleted and made anew, librdkafka goes on at the same offset of the
/// new log, as soon as that is long enough, and says nothing.
/// </summary>
internal sealed class TopicIdentities : IDisposable
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(1);
    private static readonly Dictionary<string, string> None = [];

    private readonly IAdminClient _admin;
    private readonly TopicCollection _topics;
    private readonly KafkaLog _log;
    private readonly Lock _lock = new();
    private Task<Dictionary<string, string>> _running = Task.FromResult(None);
    private Task<Dictionary<string, string>>? _next;

    /// <summary>Over a connection of its own: on a consumer's, an answer would wait behind what the broker holds back until there are records.</summary>
    public TopicIdentities(KafkaConnection kafka, MessagingOptions options, KafkaLog log)
    {
        _log = log;
        _admin = kafka.CreateAdmin();
        _topics = TopicCollection.OfTopicNames([.. options.Endpoints.SelectMany(endpoint => endpoint.Topics).Select(topic => topic.Name).Distinct()]);
    }

    /// <summary>The id that a consumed topic has now; null where the broker does not tell. Many callers share a request.</summary>
    public async Task<string?> FindAsync(string topic)
    {
        Task<Dictionary<string, string>> answer;
        lock (_lock)
            answer = _next ??= AskAfterAsync(_running);
        return (await answer).GetValueOrDefault(topic);
    }

    /// <inheritdoc/>
    public void Dispose() => _admin.Dispose();

    /// <summary>A request that is under way may be answered as it was before the caller asked.</summary>
    private async Task<Dictionary<string, string>> AskAfterAsync(Task running)
    {
        await Task.Yield();
        await running;
        Task<Dictionary<string, string>> answer;
        lock (_lock)
            (_running, _next) = (answer = AskAsync(), null);
        return await answer;
    }

    private async Task<Dictionary<string, string>> AskAsync()
    {
        List<TopicDescription> topics;
        try
        {
            topics = (await _admin.DescribeTopicsAsync(_topics, new() { RequestTimeout = RequestTimeout })).TopicDescriptions;
        }
        catch (DescribeTopicsException e)
        {
            topics = e.Results.TopicDescriptions;
        }
        catch (Exception e) when (e is KafkaException or ObjectDisposedException)
        {
            // away, or stopping: the next one is told
            return None;
        }
        _log.Answered();
        return topics.Where(topic => topic is { Error.IsError: false, TopicId: not null })
            .ToDictionary(topic => topic.Name, topic => topic.TopicId.ToString());
    }
}
