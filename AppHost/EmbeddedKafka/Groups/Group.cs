using Microsoft.Extensions.Logging;

namespace Shop.KafkaBroker;

/// <summary>The states of a classic consumer group, by the names group descriptions show.</summary>
internal enum GroupState
{
    /// <summary>No members; offsets may be kept.</summary>
    Empty,

    /// <summary>Waits for every member to join again.</summary>
    PreparingRebalance,

    /// <summary>Waits for the leader's assignment.</summary>
    CompletingRebalance,

    /// <summary>Everyone has its assignment.</summary>
    Stable,
}

/// <summary>
/// One consumer group of the classic protocol: members join, one of them (the leader) assigns the partitions, everyone
/// else fetches its share. How members join, how the group rebalances and what time does is beside this; here is what comes
/// between: sync, heartbeat, leave. One lock guards it.
/// </summary>
internal sealed partial class Group : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Broker _broker;
    private readonly OrderedDictionary<string, Member> _members = [];
    private readonly Dictionary<string, string> _staticMembers = [];
    private readonly Dictionary<string, long> _promised = [];
    private readonly ITimer _timer;
    private string? _leader;
    private long _joinDeadline;
    private long _syncDeadline = long.MaxValue;

    public Group(string id, Broker broker)
    {
        Id = id;
        _broker = broker;
        EmptySince = broker.Now;
        _timer = broker.Options.TimeProvider.CreateTimer(_ => Tick(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public string Id { get; }

    public GroupState State { get; private set; }

    public int Generation { get; set; }

    public string ProtocolType { get; set; } = "";

    public string Protocol { get; private set; } = "";

    /// <summary>Since when the group has had no members, in milliseconds since 1970; the largest number while it has some.</summary>
    public long EmptySince { get; private set; }

    /// <summary>Committed offsets; guarded by the broker's lock, not by the group's.</summary>
    public Dictionary<(string Topic, int Partition), CommittedOffset> Offsets { get; } = [];

    /// <summary>Milliseconds of a clock that nobody sets: a corrected clock must not end sessions.</summary>
    private long Now => (long)_broker.Options.TimeProvider.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>A member fetches its assignment; the leader brings everyone's. Answered when the leader has.</summary>
    public Task<SyncResult> SyncAsync(string memberId, string? instanceId, int generation, IReadOnlyDictionary<string, byte[]> assignments)
    {
        lock (_lock)
        {
            var error = Check(memberId, instanceId, generation, out var member);
            if (error == ErrorCode.None && State == GroupState.PreparingRebalance)
                error = ErrorCode.RebalanceInProgress;
            if (error != ErrorCode.None)
                return Task.FromResult(new SyncResult(error, []));
            member!.Synced = true;
            Touch(member);
            if (State == GroupState.Stable)
                return Task.FromResult(new SyncResult(ErrorCode.None, member.Assignment));
            member.SyncDone(new(ErrorCode.RebalanceInProgress, []));
            member.Syncing = new(TaskCreationOptions.RunContinuationsAsynchronously);
            var syncing = member.Syncing.Task;
            if (memberId == _leader)
                Assign(assignments);
            Arm();
            return syncing;
        }
    }

    private void Assign(IReadOnlyDictionary<string, byte[]> assignments)
    {
        State = GroupState.Stable;
        Keep();
        foreach (var member in _members.Values)
        {
            member.Assignment = assignments.GetValueOrDefault(member.Id) ?? [];
            if (member.Syncing is not null)
                Touch(member);
            member.SyncDone(new(ErrorCode.None, member.Assignment));
        }
    }

    /// <summary>A sign of life; the answer says whether the group rebalances.</summary>
    public ErrorCode Heartbeat(string memberId, string? instanceId, int generation)
    {
        lock (_lock)
        {
            var error = Check(memberId, instanceId, generation, out var member);
            if (error != ErrorCode.None)
                return error;
            Touch(member!);
            return State == GroupState.PreparingRebalance ? ErrorCode.RebalanceInProgress : ErrorCode.None;
        }
    }

    /// <summary>Whether a member may commit offsets; a commit outside of any generation (-1) needs a group without members.</summary>
    public ErrorCode CheckCommit(string memberId, string? instanceId, int generation)
    {
        lock (_lock)
        {
            if (generation < 0 && State == GroupState.Empty)
                return ErrorCode.None;
            var error = Check(memberId, instanceId, generation, out var member);
            if (error != ErrorCode.None)
                return error;
            Touch(member!);
            return State == GroupState.CompletingRebalance ? ErrorCode.RebalanceInProgress : ErrorCode.None;
        }
    }

    /// <summary>A member leaves; static members may be named by their instance id alone.</summary>
    public ErrorCode Leave(string memberId, string? instanceId)
    {
        lock (_lock)
        {
            if (instanceId is not null)
            {
                if (!_staticMembers.TryGetValue(instanceId, out var current))
                    return ErrorCode.UnknownMemberId;
                if (memberId != "" && memberId != current)
                    return ErrorCode.FencedInstanceId;
                memberId = current;
            }
            if (_promised.Remove(memberId))
            {
                if (State == GroupState.PreparingRebalance)
                    CompleteJoinWhenAllAreHere();
            }
            else if (_members.TryGetValue(memberId, out var member))
                Remove(member);
            else
                return ErrorCode.UnknownMemberId;
            Arm();
            return ErrorCode.None;
        }
    }

    /// <summary>The group as descriptions show it.</summary>
    public T Describe<T>(Func<Group, IReadOnlyCollection<Member>, T> read)
    {
        lock (_lock)
            return read(this, _members.Values);
    }

    public void Dispose()
    {
        _timer.Dispose();
        lock (_lock)
        {
            foreach (var member in _members.Values.ToList())
                Forget(member);
        }
    }

    private ErrorCode Check(string memberId, string? instanceId, int generation, out Member? member)
    {
        member = null;
        if (instanceId is not null && _staticMembers.TryGetValue(instanceId, out var current) && current != memberId)
            return ErrorCode.FencedInstanceId;
        if (!_members.TryGetValue(memberId, out member))
            return ErrorCode.UnknownMemberId;
        return generation == Generation ? ErrorCode.None : ErrorCode.IllegalGeneration;
    }

    private void Touch(Member member) => member.SessionDeadline = Now + member.SessionTimeout;

    private void Remove(Member member)
    {
        Forget(member);
        if (State is GroupState.Stable or GroupState.CompletingRebalance)
            PrepareRebalance();
        else if (State == GroupState.PreparingRebalance)
            CompleteJoinWhenAllAreHere();
    }

    private void Forget(Member member)
    {
        _members.Remove(member.Id);
        if (member.InstanceId is not null)
            _staticMembers.Remove(member.InstanceId);
        if (_leader == member.Id)
            _leader = null;
        member.Joined(new(ErrorCode.UnknownMemberId, member.Id));
        member.SyncDone(new(ErrorCode.UnknownMemberId, []));
    }

    /// <summary>Keeps the generation in the journal, so that it never repeats.</summary>
    private void Keep()
    {
        try
        {
            _broker.Groups.Keep(this);
        }
        catch (IOException failure)
        {
            LogKeepFailed(_broker.Logger, failure, Id);
        }
    }

    [LoggerMessage(EventName = "GroupNotKept", Level = LogLevel.Error, Message = "Group {Group}: its generation could not be written")]
    private static partial void LogKeepFailed(ILogger logger, Exception failure, string group);
}
