namespace Shop.KafkaBroker;

/// <summary>DescribeGroups (15): state, members and assignments of groups; one that does not exist is "Dead".</summary>
internal static class DescribeGroups
{
    public static void Handle(Request request)
    {
        var (input, output, version) = (request.In, request.Out, request.Version);
        var ids = input.Array(2, static r => r.String());
        if (version >= 3)
            input.Boolean(); // include authorized operations
        input.TaggedFields();
        request.ThrottleTime(since: 1);
        output.Array(ids, (w, id) =>
        {
            var found = request.Broker.Groups.TryFind(id, out var group);
            w.Error(found || version < 6 ? ErrorCode.None : ErrorCode.GroupIdNotFound); // KIP-1043
            if (version >= 6)
                w.String(found ? null : $"Group {id} not found.");
            w.String(id);
            if (found)
                group!.Describe((group, members) => Write(w, version, group, members));
            else
                Write(w, version, "Dead", "", "", []);
            if (version >= 3)
                w.Int32(int.MinValue); // no authorized operations
            w.TaggedFields();
        });
        output.TaggedFields();
    }

    private static bool Write(ResponseWriter w, short version, Group group, IReadOnlyCollection<Member> members)
    {
        // an assignor is chosen, and metadata can be told, once everyone has joined
        var protocol = group.State == GroupState.Stable ? group.Protocol : "";
        Write(w, version, group.State.ToString(), group.ProtocolType, protocol, members);
        return true;
    }

    private static void Write(ResponseWriter w, short version, string state, string protocolType, string protocol, IReadOnlyCollection<Member> members)
    {
        w.String(state);
        w.String(protocolType);
        w.String(protocol);
        w.Array(members, (w, member) =>
        {
            w.String(member.Id);
            if (version >= 4)
                w.String(member.InstanceId);
            w.String(member.ClientId);
            w.String(member.ClientHost);
            w.Bytes(protocol == "" ? [] : member.MetadataFor(protocol));
            w.Bytes(protocol == "" ? [] : member.Assignment);
            w.TaggedFields();
        });
    }
}
