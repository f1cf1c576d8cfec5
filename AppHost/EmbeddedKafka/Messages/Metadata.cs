namespace Shop.KafkaBroker;

/// <summary>Metadata (3): the broker, the topics and their partitions; makes topics that are asked for, where that is allowed. From version 10 on with topic ids (KIP-516).</summary>
internal static class Metadata
{
    private const int NoAuthorizedOperations = int.MinValue;

    private readonly record struct Wanted(Guid Id, string? Name);

    public static void Handle(Request request)
    {
        var (input, output, broker, version) = (request.In, request.Out, request.Broker, request.Version);
        var topics = input.NullableArray(2, r => ReadTopic(r, version));
        if (topics is null || (version == 0 && topics.Length == 0))
            topics = [.. broker.Topics.Select(topic => topic.Name).Order(StringComparer.Ordinal).Select(name => new Wanted(default, name))];
        var mayCreate = (version < 4 || input.Boolean()) && broker.Options.AutoCreateTopics;

        request.ThrottleTime(since: 3);
        output.ArrayLength(1);
        output.Int32(Broker.NodeId);
        output.String(broker.Options.AdvertisedHost);
        output.Int32(broker.Port);
        if (version >= 1)
            output.String(null); // rack
        output.TaggedFields();
        if (version >= 2)
            output.String(broker.ClusterId);
        if (version >= 1)
            output.Int32(Broker.NodeId); // controller
        output.Array(topics.Distinct().ToList(), (_, wanted) => WriteTopic(request, wanted, mayCreate));
        if (version is >= 8 and <= 10)
            output.Int32(NoAuthorizedOperations);
        output.TaggedFields();
    }

    private static Wanted ReadTopic(RequestReader r, short version)
    {
        var id = version >= 10 ? r.Uuid() : default;
        var wanted = new Wanted(id, version >= 10 ? r.NullableString() : r.String());
        r.TaggedFields();
        return wanted;
    }

    private static void WriteTopic(Request request, Wanted wanted, bool mayCreate)
    {
        var (output, version) = (request.Out, request.Version);
        var (topic, error) = wanted.Name is null ? FindById(request.Broker, wanted.Id) : FindOrCreate(request.Broker, wanted.Name, mayCreate);
        output.Error(error);
        output.String(wanted.Name ?? topic?.Name ?? (version >= 12 ? null : ""));
        if (version >= 10)
            output.Uuid(topic?.Id ?? wanted.Id);
        if (version >= 1)
            output.Boolean(false); // internal
        var count = topic?.Partitions.Count ?? 0;
        output.ArrayLength(count);
        for (var partition = 0; partition < count; partition++)
            WritePartition(output, version, partition, request.Broker.LeaderEpoch);
        if (version >= 8)
            output.Int32(NoAuthorizedOperations);
        output.TaggedFields();
    }

    private static (Topic?, ErrorCode) FindById(Broker broker, Guid id) =>
        broker.Topics.FirstOrDefault(topic => topic.Id == id) is { } topic ? (topic, ErrorCode.None) : (null, ErrorCode.UnknownTopicId);

    private static (Topic?, ErrorCode) FindOrCreate(Broker broker, string name, bool mayCreate)
    {
        if (broker.FindTopic(name) is { } topic)
            return (topic, ErrorCode.None);
        if (Topic.Refuse(name) is not null)
            return (null, ErrorCode.InvalidTopic);
        if (!mayCreate)
            return (null, ErrorCode.UnknownTopicOrPartition);
        var error = broker.CreateTopic(name, -1, new Dictionary<string, string>()).Error;
        // another connection may have made it just now
        return broker.FindTopic(name) is { } made ? (made, ErrorCode.None) : (null, error);
    }

    private static void WritePartition(ResponseWriter output, short version, int partition, int leaderEpoch)
    {
        output.Error(ErrorCode.None);
        output.Int32(partition);
        output.Int32(Broker.NodeId);
        if (version >= 7)
            output.Int32(leaderEpoch);
        for (var list = 0; list < 2; list++) // replicas, in-sync replicas
        {
            output.ArrayLength(1);
            output.Int32(Broker.NodeId);
        }
        if (version >= 5)
            output.ArrayLength(0); // offline replicas
        output.TaggedFields();
    }
}
