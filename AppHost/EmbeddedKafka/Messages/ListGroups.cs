namespace Shop.KafkaBroker;

/// <summary>ListGroups (16): every group that has members or offsets; from version 4 on by state (KIP-518), from 5 on by type (KIP-848).</summary>
internal static class ListGroups
{
    private const string Type = "Classic";

    public static void Handle(Request request)
    {
        var (input, output, version) = (request.In, request.Out, request.Version);
        var states = version >= 4 ? input.Array(1, static r => r.String()) : [];
        var types = version >= 5 ? input.Array(1, static r => r.String()) : [];
        input.TaggedFields();
        var groups = request.Broker.Groups.All.Where(group =>
            (states.Length == 0 || states.Contains(group.State.ToString(), StringComparer.OrdinalIgnoreCase))
            && (types.Length == 0 || types.Contains(Type, StringComparer.OrdinalIgnoreCase))).ToList();

        request.ThrottleTime(since: 1);
        output.Error(ErrorCode.None);
        output.Array(groups, (w, group) =>
        {
            w.String(group.Id);
            w.String(group.ProtocolType);
            if (version >= 4)
                w.String(group.State.ToString());
            if (version >= 5)
                w.String(Type);
            w.TaggedFields();
        });
        output.TaggedFields();
    }
}
