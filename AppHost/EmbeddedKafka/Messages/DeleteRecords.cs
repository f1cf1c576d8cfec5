namespace Shop.KafkaBroker;

/// <summary>DeleteRecords (21): moves a partition's first offset, so that everything before it is gone; -1 is all there is.</summary>
internal static class DeleteRecords
{
    public static void Handle(Request request)
    {
        var topics = request.In.Array(6, static r => (Name: r.String(), Partitions: r.Array(12, static r => (Partition: r.Int32(), Offset: r.Int64()))));
        request.Out.Int32(0); // throttle time
        request.Out.Array(topics, (w, topic) =>
        {
            w.String(topic.Name);
            w.Array(topic.Partitions, (w, wanted) =>
            {
                var log = request.Broker.FindLog(topic.Name, wanted.Partition);
                var error = log is null ? ErrorCode.UnknownTopicOrPartition : StorageErrors.Try(() => log.DeleteBefore(wanted.Offset));
                w.Int32(wanted.Partition);
                w.Int64(error == ErrorCode.None ? log!.LogStartOffset : -1);
                w.Error(error);
            });
        });
    }
}
