namespace Shop.KafkaBroker;

/// <summary>SyncGroup (14): the leader brings the assignment, every member fetches its own.</summary>
internal static class SyncGroup
{
    public static async ValueTask HandleAsync(Request request)
    {
        var (input, output, version) = (request.In, request.Out, request.Version);
        var groupId = input.String();
        var generation = input.Int32();
        var memberId = input.String();
        var instanceId = version >= 3 ? input.NullableString() : null;
        var assignments = new Dictionary<string, byte[]>();
        foreach (var (member, assignment) in input.Array(6, static r => (r.String(), r.Bytes().ToArray())))
            assignments[member] = assignment;

        var result = groupId == "" ? new(ErrorCode.InvalidGroupId, [])
            : !request.Broker.Groups.TryFind(groupId, out var group) ? new(ErrorCode.UnknownMemberId, [])
            : await group.SyncAsync(memberId, instanceId, generation, assignments).WaitAsync(request.Disconnected);

        request.ThrottleTime(since: 1);
        output.Error(result.Error);
        output.Bytes(result.Assignment);
    }
}
