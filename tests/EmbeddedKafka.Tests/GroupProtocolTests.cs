namespace Shop.KafkaBroker.Tests;

/// <summary>The group protocol's rules that clients rely on without showing it, asked for on the wire.</summary>
public sealed partial class GroupProtocolTests : IAsyncLifetime
{
    /// <summary>Longer than anybody is silent while a test does something else, also on a busy machine.</summary>
    private const int Session = 60_000;

    private readonly List<WireClient> _clients = [];
    private EmbeddedKafka _kafka = null!;

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
        var (first, second) = await JoinBothAsync(leader, follower, rebalanceTimeout: 15_000);
        await SyncBothAsync(leader, follower, first, second);
        var alone = await JoinAsync(leader, first.MemberId, rebalanceTimeout: 15_000);

        Assert.Equal([first.MemberId], alone.Members);
    }

    [Fact]
    public async Task A_member_that_joins_and_does_not_sync_in_time_is_left_behind()
    {
        var (leader, follower) = (await ConnectAsync(), await ConnectAsync());
        var (first, second) = await JoinBothAsync(leader, follower, rebalanceTimeout: 15_000);
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
}
