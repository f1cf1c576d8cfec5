namespace Shop.KafkaBroker;

/// <summary>How members join, and join again.</summary>
internal sealed partial class Group
{
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
}
