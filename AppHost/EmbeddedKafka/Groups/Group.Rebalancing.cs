using Microsoft.Extensions.Logging;

namespace Shop.KafkaBroker;

/// <summary>From the first member that joins anew until everyone is here: a generation, its protocol and its leader.</summary>
internal sealed partial class Group
{
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

    [LoggerMessage(EventName = "GroupRebalanced", Level = LogLevel.Information, Message = "Group {Group}: generation {Generation} with {Members} members, protocol {Protocol}")]
    private static partial void LogRebalanced(ILogger logger, string group, int generation, int members, string protocol);
}
