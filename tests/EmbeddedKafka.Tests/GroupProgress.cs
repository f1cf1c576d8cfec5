using System.Collections.Concurrent;

namespace Shop.KafkaBroker.Tests;

/// <summary>What all members of a group together have read and committed.</summary>
internal sealed class GroupProgress
{
    /// <summary>How often each record was read.</summary>
    public ConcurrentDictionary<(int Partition, long Offset), int> Read { get; } = [];

    /// <summary>The next offset of each partition, as of the last commit that was acknowledged.</summary>
    public ConcurrentDictionary<int, long> Committed { get; } = [];

    /// <summary>Records that a member began with although they had been committed: what at-least-once does not allow.</summary>
    public ConcurrentQueue<string> ReadAgain { get; } = [];
}

/// <summary>What one member does, in the order in which it does it.</summary>
internal sealed class MemberProgress(GroupProgress group)
{
    private readonly Lock _lock = new();
    private readonly HashSet<int> _assigned = [];
    private readonly Dictionary<int, long> _begun = [];

    /// <summary>How many partitions it has.</summary>
    public int Assigned
    {
        get
        {
            lock (_lock)
                return _assigned.Count;
        }
    }

    public void OnAssigned(IEnumerable<int> partitions)
    {
        lock (_lock)
        {
            foreach (var partition in partitions)
            {
                _assigned.Add(partition);
                _begun[partition] = group.Committed.GetValueOrDefault(partition);
            }
        }
    }

    public void OnRevoked(IEnumerable<int> partitions)
    {
        lock (_lock)
            _assigned.ExceptWith(partitions);
    }

    public void OnRead(int partition, long offset)
    {
        group.Read.AddOrUpdate((partition, offset), 1, (_, times) => times + 1);
        lock (_lock)
        {
            if (_begun.Remove(partition, out var committed) && offset < committed)
                group.ReadAgain.Enqueue($"partition {partition} at {offset}, committed {committed}");
        }
    }

    public void OnCommitted(int partition, long next) => group.Committed[partition] = next;
}
