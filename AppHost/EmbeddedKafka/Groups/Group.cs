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
/// else fetches its share. Read from top to bottom: join, sync, heartbeat, leave, then what time does. One lock guards it.
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

    /// <summary>A member joins, or joins again; answered when everyone has.</summary>
    public Task<JoinResult> JoinAsync(JoinRequest request)
    {
        lock (_lock)
        {
            var result = Join(request);
            Arm();
            return result;
        }
    }

    private Task<JoinResult> Join(JoinRequest request)
    {
        var known = request.MemberId;
        if (request.InstanceId is { } instance && known != "")
        {
            if (!_staticMembers.TryGetValue(instance, out var current))
                return Refused(ErrorCode.UnknownMemberId, known);
            if (current != known)
                return Refused(ErrorCode.FencedInstanceId, known);
        }
        if (!IsCompatible(request))
            return Refused(ErrorCode.InconsistentGroupProtocol, known);
        if (known == "")
        {
            if (request.InstanceId is not null && _staticMembers.TryGetValue(request.InstanceId, out var replaced))
                return Replace(_members[replaced], request);
            if (_members.Count + _promised.Count >= _broker.Options.MaxGroupSize)
                return Refused(ErrorCode.GroupMaxSizeReached, known);
            var id = $"{request.InstanceId ?? request.ClientId}-{Guid.NewGuid()}";
            if (!request.NeedsKnownId || request.InstanceId is not null)
                return Add(id, request);
            _promised[id] = Now + request.SessionTimeout;
            return Refused(ErrorCode.MemberIdRequired, id);
        }
        if (_promised.Remove(known))
            return Add(known, request);
        if (!_members.TryGetValue(known, out var member))
            return Refused(ErrorCode.UnknownMemberId, known);
        var unchanged = member.Offers(request.Protocols);
        // an answer that got lost is given again; a follower that joins without reason changes nothing
        if (unchanged && (State == GroupState.CompletingRebalance || (State == GroupState.Stable && member.Id != _leader)))
            return Task.FromResult(JoinResultFor(member));
        return Rejoin(member, request);
    }

    private static Task<JoinResult> Refused(ErrorCode error, string memberId) => Task.FromResult(new JoinResult(error, memberId));

    /// <summary>Whether the member speaks a protocol that all the others speak too.</summary>
    private bool IsCompatible(JoinRequest request)
    {
        if (request.ProtocolType == "" || request.Protocols.Count == 0)
            return false;
        var others = _members.Values.Where(member => member.Id != request.MemberId
            && (request.InstanceId is null || member.InstanceId != request.InstanceId)).ToList();
        return others.Count == 0 || (request.ProtocolType == ProtocolType
            && request.Protocols.Any(offered => others.All(member => member.Protocols.Any(protocol => protocol.Name == offered.Name))));
    }

    private Task<JoinResult> Add(string id, JoinRequest request)
    {
        var member = new Member(id, request);
        _members[id] = member;
        EmptySince = long.MaxValue;
        if (request.InstanceId is not null)
            _staticMembers[request.InstanceId] = id;
        return Rejoin(member, request);
    }

    /// <summary>A static member started again: it takes its predecessor's place, and the predecessor is fenced.</summary>
    private Task<JoinResult> Replace(Member old, JoinRequest request)
    {
        var member = new Member($"{request.InstanceId}-{Guid.NewGuid()}", request) { Assignment = old.Assignment, Synced = old.Synced };
        old.Joined(new(ErrorCode.FencedInstanceId, old.Id));
        old.SyncDone(new(ErrorCode.FencedInstanceId, []));
        _members.Remove(old.Id);
        _members[member.Id] = member;
        _staticMembers[request.InstanceId!] = member.Id;
        var wasLeader = _leader == old.Id;
        if (wasLeader)
            _leader = member.Id;
        if (State != GroupState.Stable || SelectProtocol() != Protocol || !member.MetadataFor(Protocol).AsSpan().SequenceEqual(old.MetadataFor(Protocol)))
            return Rejoin(member, request);
        Touch(member);
        // not told that it leads: it would assign anew, and nothing has changed (KIP-345)
        return Task.FromResult(JoinResultFor(member) with { Leader = wasLeader ? old.Id : _leader ?? "", Members = [] });
    }

    private Task<JoinResult> Rejoin(Member member, JoinRequest request)
    {
        member.Protocols = request.Protocols;
        member.SessionTimeout = request.SessionTimeout;
        member.RebalanceTimeout = request.RebalanceTimeout;
        ProtocolType = request.ProtocolType;
        member.Joined(new(ErrorCode.RebalanceInProgress, member.Id)); // a request this one replaces
        // continuations elsewhere: answering must not run under this lock
        member.Joining = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var joining = member.Joining.Task;
        if (State == GroupState.PreparingRebalance)
            CompleteJoinWhenAllAreHere();
        else
            PrepareRebalance();
        return joining;
    }

    private void PrepareRebalance()
    {
        foreach (var member in _members.Values)
            member.SyncDone(new(ErrorCode.RebalanceInProgress, []));
        State = GroupState.PreparingRebalance;
        _syncDeadline = long.MaxValue;
        _joinDeadline = Now + LongestRebalance();
        CompleteJoinWhenAllAreHere();
    }

    private long LongestRebalance() => _members.Values.Select(member => (long)member.RebalanceTimeout).DefaultIfEmpty(0).Max();

    private void CompleteJoinWhenAllAreHere()
    {
        if (_promised.Count == 0 && _members.Values.All(member => member.Joining is not null))
            CompleteJoin();
    }

    private void CompleteJoin()
    {
        foreach (var late in _members.Values.Where(member => member.Joining is null && member.InstanceId is null).ToList())
            Forget(late);
        if (_members.Count > 0 && _members.Values.All(member => member.Joining is null))
        {
            _joinDeadline = Now + LongestRebalance(); // static members only, and none is here: wait on, their sessions will end
            return;
        }
        Generation++;
        if (_members.Count == 0)
        {
            (State, Protocol, _leader, EmptySince) = (GroupState.Empty, "", null, _broker.Now);
            Keep();
            LogRebalanced(_broker.Logger, Id, Generation, 0, "");
            return;
        }
        (State, Protocol) = (GroupState.CompletingRebalance, SelectProtocol());
        if (_leader is null || !_members.TryGetValue(_leader, out var leader) || leader.Joining is null)
            _leader = _members.Values.First(member => member.Joining is not null).Id;
        _syncDeadline = Now + LongestRebalance();
        LogRebalanced(_broker.Logger, Id, Generation, _members.Count, Protocol);
        foreach (var member in _members.Values)
        {
            member.Synced = false;
            if (member.Joining is not null)
                Touch(member);
            member.Joined(JoinResultFor(member));
        }
    }

    private JoinResult JoinResultFor(Member member) => new(ErrorCode.None, member.Id, Generation, Protocol, _leader ?? "", member.Id == _leader
        ? [.. _members.Values.Select(other => new JoinedMember(other.Id, other.InstanceId, other.MetadataFor(Protocol)))]
        : []);

    /// <summary>The protocol most members prefer among those that all of them offer.</summary>
    private string SelectProtocol()
    {
        var common = _members.Values.Select(member => member.Protocols.Select(protocol => protocol.Name))
            .Aggregate((left, right) => left.Intersect(right)).ToHashSet();
        return _members.Values.Select(member => member.Protocols.First(protocol => common.Contains(protocol.Name)).Name)
            .CountBy(name => name).MaxBy(votes => votes.Value).Key;
    }

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

    /// <summary>Does what is due by time: ends sessions, and rebalances that waited long enough.</summary>
    private void Tick()
    {
        lock (_lock)
        {
            var now = Now;
            foreach (var id in _promised.Where(promise => promise.Value <= now).Select(promise => promise.Key).ToList())
                _promised.Remove(id);
            foreach (var member in _members.Values.Where(member => IsOver(member, now)).ToList())
            {
                LogMemberExpired(_broker.Logger, Id, member.Id);
                Remove(member);
            }
            if (State == GroupState.PreparingRebalance)
            {
                if (_joinDeadline <= now)
                    CompleteJoin();
                else
                    CompleteJoinWhenAllAreHere();
            }
            Arm();
        }
    }

    private bool IsOver(Member member, long now) => member.Joining is null && member.Syncing is null
        && (member.SessionDeadline <= now || (!member.Synced && _syncDeadline <= now));

    /// <summary>Sets the timer to the next thing due; heartbeats only move deadlines away, so they need not.</summary>
    private void Arm()
    {
        var due = State == GroupState.PreparingRebalance ? _joinDeadline : long.MaxValue;
        foreach (var promise in _promised.Values)
            due = Math.Min(due, promise);
        foreach (var member in _members.Values)
        {
            if (member.Joining is null && member.Syncing is null)
                due = Math.Min(due, member.Synced ? member.SessionDeadline : Math.Min(member.SessionDeadline, _syncDeadline));
        }
        _timer.Change(due == long.MaxValue ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(Math.Max(due - Now, 1)), Timeout.InfiniteTimeSpan);
    }

    [LoggerMessage(EventName = "GroupRebalanced", Level = LogLevel.Information, Message = "Group {Group}: generation {Generation} with {Members} members, protocol {Protocol}")]
    private static partial void LogRebalanced(ILogger logger, string group, int generation, int members, string protocol);

    [LoggerMessage(EventName = "GroupMemberExpired", Level = LogLevel.Information, Message = "Group {Group}: member {Member} gave no sign of life in time")]
    private static partial void LogMemberExpired(ILogger logger, string group, string member);

    [LoggerMessage(EventName = "GroupNotKept", Level = LogLevel.Error, Message = "Group {Group}: its generation could not be written")]
    private static partial void LogKeepFailed(ILogger logger, Exception failure, string group);
}
