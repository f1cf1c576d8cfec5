namespace Shop.KafkaBroker;

/// <summary>OffsetForLeaderEpoch (23): where an epoch's records end. There is one leader and one epoch, 0.</summary>
internal static class OffsetForLeaderEpoch
{
    public static void Handle(Request request)
    {
        var (input, output, version) = (request.In, request.Out, request.Version);
        if (version >= 3)
            input.Int32(); // replica id
        var topics = input.Array(6, static r => (Name: r.String(),
            Partitions: r.Array(12, static r => (Partition: r.Int32(), Current: r.Int32(), Epoch: r.Int32()))));
        output.Int32(0); // throttle time
        output.Array(topics, (w, topic) =>
        {
            w.String(topic.Name);
            w.Array(topic.Partitions, (w, wanted) =>
            {
                var log = request.Broker.FindLog(topic.Name, wanted.Partition);
                var known = log is not null && wanted.Epoch == 0;
                w.Error(log is null ? ErrorCode.UnknownTopicOrPartition : ErrorCode.None);
                w.Int32(wanted.Partition);
                w.Int32(known ? 0 : -1);
                w.Int64(known ? log!.NextOffset : -1);
            });
        });
    }
}
