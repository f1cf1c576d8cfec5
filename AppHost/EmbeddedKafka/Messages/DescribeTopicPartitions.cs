namespace Shop.KafkaBroker;

/// <summary>DescribeTopicPartitions (75): topics as <c>kafka-topics --describe</c> shows them (KIP-966); always all in one answer.</summary>
internal static class DescribeTopicPartitions
{
    public static void Handle(Request request)
    {
        var (input, output, broker) = (request.In, request.Out, request.Broker);
        var names = input.Array(2, static r =>
        {
            var name = r.String();
            r.TaggedFields();
            return name;
        });
        input.Int32(); // how many partitions at most
        input.Int8(); // where to go on: never told, so that no client asks
        output.Int32(0); // throttle time
        output.Array(names.Length > 0 ? names : [.. broker.Topics.Select(topic => topic.Name).Order(StringComparer.Ordinal)],
            (w, name) => WriteTopic(w, broker.FindTopic(name), name, broker.LeaderEpoch));
        output.Int8(-1); // nothing is left
        output.TaggedFields();
    }

    private static void WriteTopic(ResponseWriter w, Topic? topic, string name, int leaderEpoch)
    {
        w.Error(topic is null ? ErrorCode.UnknownTopicOrPartition : ErrorCode.None);
        w.String(name);
        w.Uuid(topic?.Id ?? default);
        w.Boolean(false); // internal
        w.Array(topic?.Partitions ?? [], (w, log) =>
        {
            w.Error(ErrorCode.None);
            w.Int32(log.Partition);
            w.Int32(Broker.NodeId);
            w.Int32(leaderEpoch);
            for (var list = 0; list < 2; list++) // replicas, in-sync replicas
            {
                w.ArrayLength(1);
                w.Int32(Broker.NodeId);
            }
            for (var list = 0; list < 3; list++) // eligible leader replicas, the last known ones, offline replicas
                w.ArrayLength(0);
            w.TaggedFields();
        });
        w.Int32(int.MinValue); // no authorized operations
        w.TaggedFields();
    }
}
