namespace Shop.KafkaBroker;

/// <summary>OffsetFetch (9): how far a group has read; -1 without an error where it has committed nothing.</summary>
internal static class OffsetFetch
{
    private static readonly CommittedOffset None = new(-1, -1, "", 0);

    public static void Handle(Request request)
    {
        var (input, output, broker, version) = (request.In, request.Out, request.Broker, request.Version);
        broker.Groups.TryFind(input.String(), out var group);
        var topics = input.NullableArray(6, static r => (Name: r.String(), Partitions: r.Array(4, static r => r.Int32())));

        var results = broker.Locked(() =>
            (topics ?? Committed(group))
            .Select(topic => (topic.Name, Partitions: topic.Partitions
                .Select(partition => (Partition: partition, Offset: group?.Offsets.GetValueOrDefault((topic.Name, partition)) ?? None)).ToList()))
            .ToList());

        request.ThrottleTime(since: 3);
        output.Array(results, (w, topic) =>
        {
            w.String(topic.Name);
            w.Array(topic.Partitions, (w, partition) =>
            {
                w.Int32(partition.Partition);
                w.Int64(partition.Offset.Offset);
                if (version >= 5)
                    w.Int32(partition.Offset.LeaderEpoch);
                w.String(partition.Offset.Metadata);
                w.Error(ErrorCode.None);
            });
        });
        if (version >= 2)
            output.Error(ErrorCode.None);
    }

    /// <summary>Every partition the group has an offset in.</summary>
    private static (string Name, int[] Partitions)[] Committed(Group? group) => group is null ? []
        : [.. group.Offsets.Keys.GroupBy(key => key.Topic).Select(keys => (keys.Key, keys.Select(key => key.Partition).Order().ToArray()))];
}
