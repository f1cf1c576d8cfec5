using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Shop.Messaging.Kafka;

/// <summary>
/// The largest record that each topic takes (its <c>max.message.bytes</c>). An event that is larger must not reach the broker: one that
/// is refused there may be overtaken by what librdkafka has already sent or still sends behind it.
/// </summary>
internal sealed class TopicLimits
{
    /// <summary>What Apache Kafka takes where nothing else is configured, less what frames a batch.</summary>
    private const int Default = 1_000_000;

    /// <summary>Bytes that frame a batch and its first record.</summary>
    private const int Overhead = 100;

    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(3);

    private readonly KafkaConnection _kafka;
    private readonly Dictionary<string, int> _limits;

    private TopicLimits(KafkaConnection kafka, Dictionary<string, int> limits)
    {
        _kafka = kafka;
        _limits = limits;
    }

    /// <summary>The smallest of all topics' limits, in bytes: a batch of this size is taken by each.</summary>
    public int Smallest => _limits.Values.DefaultIfEmpty(Default).Min();

    /// <summary>Asks the broker.</summary>
    /// <exception cref="KafkaException">The broker cannot be reached.</exception>
    public static async Task<TopicLimits> LoadAsync(KafkaConnection kafka, IReadOnlyCollection<string> topics) => new(kafka, await AskAsync(kafka, topics));

    /// <summary>Whether the topic takes the record; where it does not seem to, the broker is asked again.</summary>
    public async ValueTask<bool> AllowsAsync<TValue>(string topic, Message<byte[], TValue> message, int valueBytes)
    {
        var size = SizeOf(message) + valueBytes;
        if (size <= _limits.GetValueOrDefault(topic, Default))
            return true;
        _limits[topic] = (await AskAsync(_kafka, [topic])).GetValueOrDefault(topic, Default);
        return size <= _limits[topic];
    }

    private static int SizeOf<TValue>(Message<byte[], TValue> message)
    {
        var size = message.Key.Length;
        // asked for every event, so without an enumerator
        for (var i = 0; i < message.Headers.Count; i++)
            size += message.Headers[i].Key.Length + message.Headers[i].GetValueBytes().Length + 4;
        return size;
    }

    private static async Task<Dictionary<string, int>> AskAsync(KafkaConnection kafka, IReadOnlyCollection<string> topics)
    {
        if (topics.Count == 0)
            return [];
        using var admin = kafka.CreateAdmin();
        List<DescribeConfigsReport> reports;
        try
        {
            var described = await admin.DescribeConfigsAsync(
                topics.Select(topic => new ConfigResource { Type = ResourceType.Topic, Name = topic }), new() { RequestTimeout = RequestTimeout });
            reports = [.. described.Select(result => new DescribeConfigsReport { ConfigResource = result.ConfigResource, Entries = result.Entries })];
        }
        catch (DescribeConfigsException e)
        {
            // a topic that is not there has the default, until it is created
            reports = [.. e.Results.Where(report => !report.Error.IsError)];
        }
        return reports.ToDictionary(report => report.ConfigResource.Name, report =>
            report.Entries.TryGetValue("max.message.bytes", out var entry) && int.TryParse(entry.Value, out var limit) ? Math.Min(Default, limit - Overhead) : Default);
    }
}
