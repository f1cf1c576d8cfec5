namespace Shop.KafkaBroker;

/// <summary>OffsetCommit (8): a group keeps how far it has read.</summary>
internal static class OffsetCommit
{
    private const int MaxMetadata = 4096;

    public static void Handle(Request request)
    {
        var (input, output, broker, version) = (request.In, request.Out, request.Broker, request.Version);
        var groupId = input.String();
        var generation = version >= 1 ? input.Int32() : -1;
        var memberId = version >= 1 ? input.String() : "";
        var instanceId = version >= 7 ? input.NullableString() : null;
        if (version is >= 2 and <= 4)
            input.Int64(); // retention: the broker's own holds
        var now = broker.Now;
        var topics = input.Array(6, r => (Name: r.String(), Partitions: r.Array(14, r => ReadPartition(r, version, now))));

        var error = ErrorCode.IllegalGeneration;
        if (broker.Groups.TryFind(groupId, out var group) || generation < 0)
            error = broker.Groups.Open(groupId, out group);
        if (error == ErrorCode.None)
            error = group!.CheckCommit(memberId, instanceId, generation);
        var accepted = new List<(string, int, CommittedOffset)>();
        var results = topics.Select(topic => (topic.Name, Partitions: topic.Partitions.Select(committed =>
        {
            var refused = error != ErrorCode.None ? error
                : broker.FindLog(topic.Name, committed.Partition) is null ? ErrorCode.UnknownTopicOrPartition
                : committed.Offset.Metadata.Length > MaxMetadata ? ErrorCode.OffsetMetadataTooLarge
                : ErrorCode.None;
            if (refused == ErrorCode.None)
                accepted.Add((topic.Name, committed.Partition, committed.Offset));
            return (committed.Partition, Error: refused);
        }).ToList())).ToList();
        var stored = Store(broker, group, accepted);

        request.ThrottleTime(since: 3);
        output.Array(results, (w, topic) =>
        {
            w.String(topic.Name);
            w.Array(topic.Partitions, (w, partition) =>
            {
                w.Int32(partition.Partition);
                w.Error(partition.Error == ErrorCode.None ? stored : partition.Error);
            });
        });
    }

    private static ErrorCode Store(Broker broker, Group? group, List<(string, int, CommittedOffset)> accepted)
    {
        if (accepted.Count == 0)
            return ErrorCode.None;
        try
        {
            broker.Groups.Commit(group!, accepted);
            return ErrorCode.None;
        }
        catch (IOException)
        {
            return ErrorCode.NotCoordinator; // Apache Kafka's answer: clients look for the coordinator, and try again
        }
    }

    private static (int Partition, CommittedOffset Offset) ReadPartition(RequestReader r, short version, long now)
    {
        var (partition, offset) = (r.Int32(), r.Int64());
        var leaderEpoch = version >= 6 ? r.Int32() : -1;
        if (version == 1)
            r.Int64(); // timestamp
        return (partition, new(offset, leaderEpoch, r.NullableString() ?? "", now));
    }
}
