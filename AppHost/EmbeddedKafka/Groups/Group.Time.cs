using Microsoft.Extensions.Logging;

namespace Shop.KafkaBroker;

/// <summary>What is due by time: sessions that end, and rebalances that waited long enough.</summary>
internal sealed partial class Group
{
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

    [LoggerMessage(EventName = "GroupMemberExpired", Level = LogLevel.Information, Message = "Group {Group}: member {Member} gave no sign of life in time")]
    private static partial void LogMemberExpired(ILogger logger, string group, string member);
}
