namespace Shop.KafkaBroker.Tests;

/// <summary>The group protocol's rules that clients rely on without showing it, asked for on the wire.</summary>
public sealed class GroupProtocolTests : IAsyncLifetime
{
    /// <summary>Longer than anybody is silent while a test does something else, also on a busy machine.</summary>
    private const int Session = 60_000;

    private readonly List<WireClient> _clients = [];
    private EmbeddedKafka _kafka = null!;

    private sealed record Joined(ErrorCode Error, int Generation, string Protocol, string Leader, string MemberId, string[] Members);

    public async ValueTask InitializeAsync() => _kafka = await EmbeddedKafka.StartAsync(new() { MinSessionTimeout = TimeSpan.FromMilliseconds(100) });

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
            await client.DisposeAsync();
        await _kafka.DisposeAsync();
    }

    [Fact]
    public async Task A_new_member_is_given_an_id_to_join_with()
    {
        var client = await ConnectAsync();
        var first = await JoinAsync(client, "");
        var second = await JoinAsync(client, first.MemberId);

        Assert.Equal(ErrorCode.MemberIdRequired, first.Error);
        Assert.StartsWith("wire-", first.MemberId);
        Assert.Equal((ErrorCode.None, 1, first.MemberId), (second.Error, second.Generation, second.Leader));
        Assert.Equal([first.MemberId], second.Members);
        Assert.Equal(ErrorCode.UnknownMemberId, (await JoinAsync(client, "nobody")).Error);
    }

    [Fact]
    public async Task Before_version_4_a_member_joins_at_once()
    {
        var joined = await JoinAsync(await ConnectAsync(), "", version: 0);

        Assert.Equal((ErrorCode.None, 1), (joined.Error, joined.Generation));
    }

    [Fact]
    public async Task Followers_wait_for_the_leader_and_get_what_it_assigned()
    {
        var (leader, follower) = (await ConnectAsync(), await ConnectAsync());
        var (first, second) = await JoinBothAsync(leader, follower);
        var waiting = SyncAsync(follower, second.MemberId, second.Generation);
        var heartbeat = await HeartbeatAsync(await ConnectAsync(), second.MemberId, second.Generation);
        var done = waiting.IsCompleted;
        var led = await SyncAsync(leader, first.MemberId, first.Generation, (first.MemberId, "A"), (second.MemberId, "B"));

        Assert.False(done);
        Assert.Equal(ErrorCode.None, heartbeat);
        Assert.Equal((ErrorCode.None, "A"), led);
        Assert.Equal((ErrorCode.None, "B"), await waiting);
        Assert.Equal((ErrorCode.None, "B"), await SyncAsync(follower, second.MemberId, second.Generation));
    }

    [Fact]
    public async Task An_unchanged_follower_changes_nothing_and_a_leader_rebalances()
    {
        var (leader, follower) = (await ConnectAsync(), await ConnectAsync());
        var (first, second) = await JoinBothAsync(leader, follower);
        await SyncBothAsync(leader, follower, first, second);

        var again = await JoinAsync(follower, second.MemberId);
        var leads = JoinAsync(leader, first.MemberId);
        await HeartbeatUntilRebalanceAsync(follower, second.MemberId, second.Generation);
        var followed = await JoinAsync(follower, second.MemberId);

        Assert.Equal(second.Generation, again.Generation);
        Assert.Equal((second.Generation + 1, second.Generation + 1), (followed.Generation, (await leads).Generation));
    }

    [Fact]
    public async Task A_static_member_that_starts_again_takes_its_place_without_a_rebalance_and_fences_its_predecessor()
    {
        var client = await ConnectAsync();
        var first = await JoinAsync(client, "", instanceId: "shelf-1");
        await SyncAsync(client, first.MemberId, first.Generation, "shelf-1", (first.MemberId, "A"));
        var second = await JoinAsync(client, "", instanceId: "shelf-1");

        Assert.Equal((ErrorCode.None, first.Generation), (second.Error, second.Generation));
        Assert.NotEqual(first.MemberId, second.MemberId);
        Assert.Equal((ErrorCode.None, "A"), await SyncAsync(client, second.MemberId, second.Generation, "shelf-1"));
        Assert.Equal(ErrorCode.FencedInstanceId, await HeartbeatAsync(client, first.MemberId, first.Generation, "shelf-1"));
        Assert.Equal(ErrorCode.FencedInstanceId, (await JoinAsync(client, first.MemberId, instanceId: "shelf-1")).Error);
        Assert.Equal(ErrorCode.FencedInstanceId, (await SyncAsync(client, first.MemberId, first.Generation, "shelf-1")).Error);
        Assert.Equal(ErrorCode.None, await HeartbeatAsync(client, second.MemberId, second.Generation, "shelf-1"));
    }

    [Fact]
    public async Task Errors_come_in_the_order_that_clients_act_on()
    {
        var client = await ConnectAsync();
        var joined = await JoinAsync(client, "", instanceId: "shelf-1");
        await SyncAsync(client, joined.MemberId, joined.Generation, "shelf-1");

        Assert.Equal(ErrorCode.FencedInstanceId, await HeartbeatAsync(client, "other", 77, "shelf-1"));
        Assert.Equal(ErrorCode.UnknownMemberId, await HeartbeatAsync(client, "other", 77));
        Assert.Equal(ErrorCode.IllegalGeneration, await HeartbeatAsync(client, joined.MemberId, 77));
        Assert.Equal(ErrorCode.UnknownMemberId, await CommitAsync(client, "", -1));
        Assert.Equal(ErrorCode.IllegalGeneration, await CommitAsync(client, joined.MemberId, 77));
        Assert.Equal(ErrorCode.None, await CommitAsync(client, joined.MemberId, joined.Generation));
    }

    [Fact]
    public async Task Commits_pass_while_members_rejoin_and_are_refused_until_everyone_is_assigned()
    {
        var (leader, follower) = (await ConnectAsync(), await ConnectAsync());
        var (first, second) = await JoinBothAsync(leader, follower);
        var completing = await CommitAsync(leader, first.MemberId, first.Generation);
        await SyncBothAsync(leader, follower, first, second);
        var rejoining = JoinAsync(leader, first.MemberId);
        await HeartbeatUntilRebalanceAsync(follower, second.MemberId, second.Generation);
        var preparing = await CommitAsync(follower, second.MemberId, second.Generation);
        await JoinAsync(follower, second.MemberId);
        await rejoining;

        Assert.Equal(ErrorCode.RebalanceInProgress, completing);
        Assert.Equal(ErrorCode.None, preparing);
    }

    [Fact]
    public async Task A_member_that_falls_silent_is_removed_and_the_others_rebalance()
    {
        var (leader, follower) = (await ConnectAsync(), await ConnectAsync());
        var (first, second) = await JoinBothAsync(leader, follower, followersSession: 1000);
        await SyncBothAsync(leader, follower, first, second);
        await HeartbeatUntilRebalanceAsync(leader, first.MemberId, first.Generation);
        var alone = await JoinAsync(leader, first.MemberId);

        Assert.Equal([first.MemberId], alone.Members);
        Assert.Equal(ErrorCode.UnknownMemberId, await HeartbeatAsync(follower, second.MemberId, second.Generation));
    }

    [Fact]
    public async Task A_member_that_does_not_rejoin_in_time_is_left_behind()
    {
        var (leader, follower) = (await ConnectAsync(), await ConnectAsync());
        var (first, second) = await JoinBothAsync(leader, follower, rebalanceTimeout: 4000);
        await SyncBothAsync(leader, follower, first, second);
        var alone = await JoinAsync(leader, first.MemberId, rebalanceTimeout: 4000);

        Assert.Equal([first.MemberId], alone.Members);
    }

    [Fact]
    public async Task A_member_that_joins_and_does_not_sync_in_time_is_left_behind()
    {
        var (leader, follower) = (await ConnectAsync(), await ConnectAsync());
        var (first, second) = await JoinBothAsync(leader, follower, rebalanceTimeout: 4000);
        await SyncAsync(leader, first.MemberId, first.Generation, (first.MemberId, "A"));
        await HeartbeatUntilRebalanceAsync(leader, first.MemberId, first.Generation);

        Assert.Equal(ErrorCode.UnknownMemberId, await HeartbeatAsync(follower, second.MemberId, second.Generation));
    }

    [Fact]
    public async Task Members_without_a_common_protocol_do_not_share_a_group()
    {
        var (leader, other) = (await ConnectAsync(), await ConnectAsync());
        await JoinAsync(leader, "", version: 2);

        Assert.Equal(ErrorCode.InconsistentGroupProtocol, (await JoinAsync(other, "", version: 2, protocol: "unheard-of")).Error);
        Assert.Equal(ErrorCode.InvalidSessionTimeout, (await JoinAsync(other, "", sessionTimeout: 1)).Error);
    }

    [Fact]
    public async Task A_member_that_leaves_is_gone_at_once()
    {
        var (leader, follower) = (await ConnectAsync(), await ConnectAsync());
        var (first, second) = await JoinBothAsync(leader, follower);
        await SyncBothAsync(leader, follower, first, second);
        var answer = await follower.SendAsync(ApiKey.LeaveGroup, 3, w =>
        {
            w.String("group");
            w.Array([second.MemberId, "nobody"], (w, member) =>
            {
                w.String(member);
                w.String(null);
            });
        });
        answer.Int32();
        var error = (ErrorCode)answer.Int16();
        var errors = answer.Array(6, r => (r.String(), r.NullableString(), (ErrorCode)r.Int16()).Item3);

        Assert.Equal(ErrorCode.None, error);
        Assert.Equal([ErrorCode.None, ErrorCode.UnknownMemberId], errors);
        Assert.Equal([first.MemberId], (await JoinAsync(leader, first.MemberId)).Members);
    }

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
