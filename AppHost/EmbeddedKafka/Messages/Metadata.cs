namespace Shop.KafkaBroker;

/// <summary>Metadata (3): the broker, the topics and their partitions; makes topics that are asked for, where that is allowed.</summary>
internal static class Metadata
{
    private const int NoAuthorizedOperations = int.MinValue;

    public static void Handle(Request request)
    {
        var (input, output, broker, version) = (request.In, request.Out, request.Broker, request.Version);
        var names = input.NullableArray(2, static r => r.String());
        if (names is null || (version == 0 && names.Length == 0))
            names = [.. broker.Topics.Select(topic => topic.Name).Order(StringComparer.Ordinal)];
        var mayCreate = (version < 4 || input.Boolean()) && broker.Options.AutoCreateTopics;

        request.ThrottleTime(since: 3);
        output.ArrayLength(1);
        output.Int32(Broker.NodeId);
        output.String(broker.Options.AdvertisedHost);
        output.Int32(broker.Port);
        if (version >= 1)
            output.String(null); // rack
        if (version >= 2)
            output.String(broker.ClusterId);
        if (version >= 1)
            output.Int32(Broker.NodeId); // controller
        output.Array(names.Distinct().ToList(), (_, name) => WriteTopic(request, name, mayCreate));
        if (version >= 8)
            output.Int32(NoAuthorizedOperations);
    }

    private static void WriteTopic(Request request, string name, bool mayCreate)
    {
        var (output, version) = (request.Out, request.Version);
        var error = ErrorCode.None;
        var topic = request.Broker.FindTopic(name);
        if (topic is null)
        {
            error = !Topic.IsValidName(name) ? ErrorCode.InvalidTopic
                : mayCreate ? request.Broker.CreateTopic(name, -1, new Dictionary<string, string>()).Error
                : ErrorCode.UnknownTopicOrPartition;
            topic = request.Broker.FindTopic(name);
            if (topic is not null)
                error = ErrorCode.None; // made here, or by another connection just now
        }
        output.Error(error);
        output.String(name);
        if (version >= 1)
            output.Boolean(false); // internal
        var count = topic?.Partitions.Count ?? 0;
        output.ArrayLength(count);
        for (var partition = 0; partition < count; partition++)
            WritePartition(output, version, partition);
        if (version >= 8)
            output.Int32(NoAuthorizedOperations);
    }

    private static void WritePartition(ResponseWriter output, short version, int partition)
    {
        output.Error(ErrorCode.None);
        output.Int32(partition);
        output.Int32(Broker.NodeId);
        if (version >= 7)
            output.Int32(0); // leader epoch
        for (var list = 0; list < 2; list++) // replicas, in-sync replicas
        {
            output.ArrayLength(1);
            output.Int32(Broker.NodeId);
        }
        if (version >= 5)
            output.ArrayLength(0); // offline replicas
    }
}
