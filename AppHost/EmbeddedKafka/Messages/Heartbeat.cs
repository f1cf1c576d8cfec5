namespace Shop.KafkaBroker;

/// <summary>Heartbeat (12): a member is alive, and learns whether its group rebalances.</summary>
internal static class Heartbeat
{
    public static void Handle(Request request)
    {
        var input = request.In;
        var groupId = input.String();
        var generation = input.Int32();
        var memberId = input.String();
        var instanceId = request.Version >= 3 ? input.NullableString() : null;

        var error = groupId == "" ? ErrorCode.InvalidGroupId
            : request.Broker.Groups.TryFind(groupId, out var group) ? group.Heartbeat(memberId, instanceId, generation)
            : ErrorCode.UnknownMemberId;
        request.ThrottleTime(since: 1);
        request.Out.Error(error);
    }
}
