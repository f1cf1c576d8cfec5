namespace Shop.KafkaBroker;

/// <summary>OffsetDelete (47): forgets a group's offsets in some partitions (KIP-496); refused while a member may read them.</summary>
internal static class OffsetDelete
{
    public static void Handle(Request request)
    {
        var (input, output, broker) = (request.In, request.Out, request.Broker);
        var groupId = input.String();
        var topics = input.Array(6, static r => (Name: r.String(), Partitions: r.Array(4, static r => r.Int32())));
        var found = broker.Groups.TryFind(groupId, out var group);
        var used = found && group!.Describe((_, members) => members.Count) > 0;
        var error = !found ? ErrorCode.GroupIdNotFound : used ? ErrorCode.None : StorageErrors.Try(() =>
        {
            broker.Groups.Forget(group!, [.. topics.SelectMany(topic => topic.Partitions.Select(partition => (topic.Name, partition)))]);
            return ErrorCode.None;
        });
        output.Error(error);
        output.Int32(0); // throttle time
        output.Array(error == ErrorCode.None ? topics : [], (w, topic) =>
        {
            w.String(topic.Name);
            w.Array(topic.Partitions, (w, partition) =>
            {
                w.Int32(partition);
                w.Error(used ? ErrorCode.GroupSubscribedToTopic : broker.FindLog(topic.Name, partition) is null ? ErrorCode.UnknownTopicOrPartition : ErrorCode.None);
            });
        });
    }
}
