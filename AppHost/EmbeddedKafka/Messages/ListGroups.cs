namespace Shop.KafkaBroker;

/// <summary>ListGroups (16): every group that has members or offsets.</summary>
internal static class ListGroups
{
    public static void Handle(Request request)
    {
        request.ThrottleTime(since: 1);
        request.Out.Error(ErrorCode.None);
        request.Out.Array(request.Broker.Groups.All.ToList(), static (w, group) =>
        {
            w.String(group.Id);
            w.String(group.ProtocolType);
        });
    }
}
