namespace Shop.KafkaBroker.Tests;

/// <summary>The requests of the group protocol, as the tests send them.</summary>
public sealed partial class GroupProtocolTests
{
    private sealed record Joined(ErrorCode Error, int Generation, string Protocol, string Leader, string MemberId, string[] Members);

    private async Task<WireClient> ConnectAsync()
    {
        var client = await WireClient.ConnectAsync(_kafka.BootstrapServers);
        _clients.Add(client);
        return client;
    }

    private static async Task<(Joined First, Joined Second)> JoinBothAsync(WireClient leader, WireClient follower, int followersSession = Session, int rebalanceTimeout = 20_000)
    {
        var first = await JoinAsync(leader, "", version: 2, rebalanceTimeout: rebalanceTimeout);
        var joining = JoinAsync(follower, "", version: 2, sessionTimeout: followersSession, rebalanceTimeout: rebalanceTimeout);
        // the first one is told to rejoin once the second one has come
        await HeartbeatUntilRebalanceAsync(leader, first.MemberId, first.Generation);
        first = await JoinAsync(leader, first.MemberId, version: 2, rebalanceTimeout: rebalanceTimeout);
        return (first, await joining);
    }

    private static async Task SyncBothAsync(WireClient leader, WireClient follower, Joined first, Joined second)
    {
        await SyncAsync(leader, first.MemberId, first.Generation, (first.MemberId, "A"), (second.MemberId, "B"));
        await SyncAsync(follower, second.MemberId, second.Generation);
    }

    private static async Task<Joined> JoinAsync(WireClient client, string memberId, short version = 5, string? instanceId = null,
        int sessionTimeout = Session, int rebalanceTimeout = 20_000, string protocol = "range")
    {
        var answer = await client.SendAsync(ApiKey.JoinGroup, version, w =>
        {
            w.String("group");
            w.Int32(sessionTimeout);
            if (version >= 1)
                w.Int32(rebalanceTimeout);
            w.String(memberId);
            if (version >= 5)
                w.String(instanceId);
            w.String("consumer");
            w.Array([protocol], (w, name) =>
            {
                w.String(name);
                w.Bytes("subscription"u8);
            });
        });
        if (version >= 2)
            answer.Int32();
        return new((ErrorCode)answer.Int16(), answer.Int32(), answer.String(), answer.String(), answer.String(), answer.Array(6, r =>
        {
            var id = r.String();
            if (version >= 5)
                r.NullableString();
            r.Bytes();
            return id;
        }));
    }

    private static Task<(ErrorCode Error, string Assignment)> SyncAsync(WireClient client, string memberId, int generation,
        params (string Member, string Assignment)[] assignments) => SyncAsync(client, memberId, generation, null, assignments);

    private static async Task<(ErrorCode Error, string Assignment)> SyncAsync(WireClient client, string memberId, int generation, string? instanceId,
        params (string Member, string Assignment)[] assignments)
    {
        var answer = await client.SendAsync(ApiKey.SyncGroup, 3, w =>
        {
            w.String("group");
            w.Int32(generation);
            w.String(memberId);
            w.String(instanceId);
            w.Array(assignments, (w, assigned) =>
            {
                w.String(assigned.Member);
                w.Bytes(System.Text.Encoding.UTF8.GetBytes(assigned.Assignment));
            });
        });
        answer.Int32();
        return ((ErrorCode)answer.Int16(), System.Text.Encoding.UTF8.GetString(answer.Bytes().Span));
    }

    private static async Task<ErrorCode> HeartbeatAsync(WireClient client, string memberId, int generation, string? instanceId = null)
    {
        var answer = await client.SendAsync(ApiKey.Heartbeat, 3, w =>
        {
            w.String("group");
            w.Int32(generation);
            w.String(memberId);
            w.String(instanceId);
        });
        answer.Int32();
        return (ErrorCode)answer.Int16();
    }

    /// <summary>Returns when the member is told that its group rebalances; what others ask for on connections of their own may be handled later.</summary>
    private static async Task HeartbeatUntilRebalanceAsync(WireClient client, string memberId, int generation)
    {
        var error = ErrorCode.None;
        await Eventually.BecomesTrueAsync(async () => (error = await HeartbeatAsync(client, memberId, generation)) != ErrorCode.None);
        Assert.Equal(ErrorCode.RebalanceInProgress, error);
    }

    private async Task<ErrorCode> CommitAsync(WireClient client, string memberId, int generation)
    {
        await (await ConnectAsync()).SendAsync(ApiKey.Metadata, 1, w => w.Array(["events"], (w, name) => w.String(name)));
        var answer = await client.SendAsync(ApiKey.OffsetCommit, 7, w =>
        {
            w.String("group");
            w.Int32(generation);
            w.String(memberId);
            w.String(null);
            w.ArrayLength(1);
            w.String("events");
            w.ArrayLength(1);
            w.Int32(0);
            w.Int64(5);
            w.Int32(0);
            w.String("note");
        });
        answer.Int32();
        return answer.Array(6, r => (r.String(), r.Array(6, r => (r.Int32(), (ErrorCode)r.Int16()).Item2)[0]).Item2)[0];
    }
}
