namespace Shop.KafkaBroker;

/// <summary>LeaveGroup (13): members leave; from version 3 on several at once, static ones by instance id.</summary>
internal static class LeaveGroup
{
    public static void Handle(Request request)
    {
        var (input, output, version) = (request.In, request.Out, request.Version);
        var groupId = input.String();
        var members = version >= 3
            ? input.Array(4, static r => (MemberId: r.String(), InstanceId: r.NullableString()))
            : [(MemberId: input.String(), InstanceId: null)];

        request.Broker.Groups.TryFind(groupId, out var group);
        var error = groupId == "" ? ErrorCode.InvalidGroupId : group is null ? ErrorCode.UnknownMemberId : ErrorCode.None;
        var results = members.Select(member => (member.MemberId, member.InstanceId,
            Error: group?.Leave(member.MemberId, member.InstanceId) ?? ErrorCode.UnknownMemberId)).ToList();
        request.ThrottleTime(since: 1);
        output.Error(version < 3 && error == ErrorCode.None ? results[0].Error : error);
        if (version >= 3)
        {
            output.Array(results, static (w, result) =>
            {
                w.String(result.MemberId);
                w.String(result.InstanceId);
                w.Error(result.Error);
            });
        }
    }
}
