namespace Shop.KafkaBroker;

/// <summary>DeleteGroups (42): forgets groups without members, with their offsets.</summary>
internal static class DeleteGroups
{
    public static void Handle(Request request)
    {
        var ids = request.In.Array(2, static r => r.String());
        request.Out.Int32(0); // throttle time
        request.Out.Array(ids, (w, id) =>
        {
            w.String(id);
            w.Error(StorageErrors.Try(() => request.Broker.Groups.Delete(id)));
        });
    }
}
