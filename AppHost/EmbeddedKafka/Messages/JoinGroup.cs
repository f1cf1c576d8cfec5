namespace Shop.KafkaBroker;

/// <summary>JoinGroup (11): a member joins its group; answered when the group's members are complete.</summary>
internal static class JoinGroup
{
    public static async ValueTask HandleAsync(Request request)
    {
        var (input, output, version) = (request.In, request.Out, request.Version);
        var groupId = input.String();
        var sessionTimeout = input.Int32();
        var rebalanceTimeout = version >= 1 ? input.Int32() : sessionTimeout;
        var memberId = input.String();
        var instanceId = version >= 5 ? input.NullableString() : null;
        var protocolType = input.String();
        var protocols = input.Array(6, static r => new GroupProtocol(r.String(), r.Bytes().ToArray()));

        Group? group = null;
        var options = request.Broker.Options;
        var error = sessionTimeout < options.MinSessionTimeout.TotalMilliseconds || sessionTimeout > options.MaxSessionTimeout.TotalMilliseconds
            ? ErrorCode.InvalidSessionTimeout
            : request.Broker.Groups.Open(groupId, out group);
        var result = error != ErrorCode.None ? new(error, memberId)
            : await group!.JoinAsync(new(memberId, instanceId, request.ClientId, request.ClientHost, sessionTimeout, Math.Max(rebalanceTimeout, 0),
                protocolType, protocols, NeedsKnownId: version >= 4)).WaitAsync(request.Disconnected);

        request.ThrottleTime(since: 2);
        output.Error(result.Error);
        output.Int32(result.Generation);
        output.String(result.Protocol);
        output.String(result.Leader);
        output.String(result.MemberId);
        output.Array(result.Members ?? [], (w, member) =>
        {
            w.String(member.Id);
            if (version >= 5)
                w.String(member.InstanceId);
            w.Bytes(member.Metadata);
        });
    }
}
