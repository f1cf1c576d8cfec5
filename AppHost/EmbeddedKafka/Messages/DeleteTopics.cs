namespace Shop.KafkaBroker;

/// <summary>DeleteTopics (20): deletes topics and everything in them.</summary>
internal static class DeleteTopics
{
    public static void Handle(Request request)
    {
        var names = request.In.Array(2, static r => r.String());
        request.ThrottleTime(since: 1);
        request.Out.Array(names, (w, name) =>
        {
            w.String(name);
            w.Error(StorageErrors.Try(() => request.Broker.DeleteTopic(name)));
        });
    }
}
