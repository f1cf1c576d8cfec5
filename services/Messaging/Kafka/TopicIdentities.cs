using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Shop.Messaging.Kafka;

/// <summary>
/// Finds out which topics were deleted and made anew while they are consumed. librdkafka goes on at the same offset then, as soon as the new
/// log is long enough, and says nothing: the topic's id tells.
/// </summary>
internal sealed class TopicIdentities : IDisposable
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(5);

    private readonly IAdminClient _admin;
    private readonly string[] _topics;
    private readonly Dictionary<string, string> _ids = [];
    private Task<DescribeTopicsResult>? _answer;

    /// <param name="client">The consumer's, whose connections are used; it must outlive this.</param>
    /// <param name="topics">The topics.</param>
    public TopicIdentities(Handle client, IEnumerable<string> topics) =>
        (_admin, _topics) = (new DependentAdminClientBuilder(client).Build(), [.. topics]);

    /// <summary>Asks the broker anew, unless it owes an answer; does not wait.</summary>
    public void Ask() => _answer ??= _admin.DescribeTopicsAsync(TopicCollection.OfTopicNames(_topics), new() { RequestTimeout = RequestTimeout });

    /// <summary>The topics that are others than before, as far as the broker has answered.</summary>
    public List<string> TakeRemade()
    {
        if (_answer is not { IsCompleted: true } answer)
            return [];
        _answer = null;
        // one that is away, or has none of the topics at this moment, is asked again
        if (!answer.IsCompletedSuccessfully)
            return [];
        var remade = new List<string>();
        foreach (var topic in answer.Result.TopicDescriptions.Where(topic => !topic.Error.IsError && topic.TopicId is not null))
        {
            var id = topic.TopicId.ToString();
            if (_ids.TryGetValue(topic.Name, out var known) && known != id)
                remade.Add(topic.Name);
            _ids[topic.Name] = id;
        }
        return remade;
    }

    /// <inheritdoc/>
    public void Dispose() => _admin.Dispose();
}
