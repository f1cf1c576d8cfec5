namespace Shop.KafkaBroker;

/// <summary>OffsetForLeaderEpoch (23): where a leader epoch's records end, by which a consumer sees that a log lost what it had read (KIP-320).</summary>
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
                var error = log is null ? ErrorCode.UnknownTopicOrPartition : request.Broker.CheckLeaderEpoch(wanted.Current);
                var (epoch, endOffset) = (-1, -1L);
                if (error == ErrorCode.None)
                {
                    error = StorageErrors.Try(() =>
                    {
                        (epoch, endOffset) = log!.EndOfEpoch(wanted.Epoch);
                        return ErrorCode.None;
                    });
                }
                w.Error(error);
                w.Int32(wanted.Partition);
                w.Int32(epoch);
                w.Int64(endOffset);
            });
        });
    }
}
