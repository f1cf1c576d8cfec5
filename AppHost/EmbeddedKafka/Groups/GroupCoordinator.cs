using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Shop.KafkaBroker;

/// <summary>An offset that a group committed for a partition.</summary>
/// <param name="Offset">The next offset to read.</param>
/// <param name="LeaderEpoch">The leader epoch the client knew, or -1; returned as it came.</param>
/// <param name="Metadata">The client's own note; returned as it came.</param>
/// <param name="CommittedAt">When, in milliseconds since 1970.</param>
internal sealed record CommittedOffset(long Offset, int LeaderEpoch, string Metadata, long CommittedAt);

/// <summary>All consumer groups of the broker, with their committed offsets, which the journal keeps.</summary>
internal sealed class GroupCoordinator(Broker broker) : IDisposable
{
    /// <summary>How long a group without members and offsets is remembered, in milliseconds: its members may be on their way.</summary>
    private const int ForgottenAfter = 60_000;

    private readonly ConcurrentDictionary<string, Group> _groups = [];

    public IEnumerable<Group> All => _groups.Values;

    public bool TryFind(string id, [NotNullWhen(true)] out Group? group) => _groups.TryGetValue(id, out group);

    public Group FindOrAdd(string id) => _groups.GetOrAdd(id, static (id, broker) => new(id, broker), broker);

    /// <summary>Finds a group, or makes it where its name is allowed and there are not too many.</summary>
    public ErrorCode Open(string id, out Group? group)
    {
        group = null;
        if (id == "" || (!TryFind(id, out group) && _groups.Count >= broker.Options.MaxGroups))
            return ErrorCode.InvalidGroupId;
        group ??= FindOrAdd(id);
        return ErrorCode.None;
    }

    /// <summary>Commits offsets of a group.</summary>
    /// <exception cref="IOException">They could not be written; none was committed.</exception>
    public void Commit(Group group, IReadOnlyCollection<(string Topic, int Partition, CommittedOffset Offset)> offsets) =>
        broker.Change(w => WriteOffsets(w, group.Id, offsets), () =>
        {
            foreach (var (topic, partition, offset) in offsets)
                group.Offsets[(topic, partition)] = offset;
        });

    /// <summary>Forgets committed offsets of a group.</summary>
    /// <exception cref="IOException">That could not be written; nothing was forgotten.</exception>
    public void Forget(Group group, IReadOnlyCollection<(string Topic, int Partition)> partitions) => broker.Change(w =>
    {
        w.Int8((sbyte)JournalEntry.OffsetsDeleted);
        w.String(group.Id);
        w.Array(partitions, static (w, partition) =>
        {
            w.String(partition.Topic);
            w.Int32(partition.Partition);
        });
    }, () =>
    {
        foreach (var partition in partitions)
            group.Offsets.Remove(partition);
    });

    /// <summary>Deletes a group and its offsets.</summary>
    /// <exception cref="IOException">That could not be written; nothing was deleted.</exception>
    public ErrorCode Delete(string id)
    {
        if (!TryFind(id, out var group))
            return ErrorCode.GroupIdNotFound;
        if (group.Describe((_, members) => members.Count) > 0)
            return ErrorCode.NonEmptyGroup;
        broker.Change(w =>
        {
            w.Int8((sbyte)JournalEntry.GroupDeleted);
            w.String(id);
        }, () => _groups.TryRemove(id, out _));
        group.Dispose(); // outside of the broker's lock: a group takes that one while it holds its own
        return ErrorCode.None;
    }

    /// <summary>Keeps a group's generation.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public void Keep(Group group) => broker.Change(w => WriteGroup(w, group), () => { });

    /// <summary>Forgets the offsets of a deleted topic in every group; called under the broker's lock.</summary>
    public void ForgetTopic(string topic)
    {
        foreach (var group in _groups.Values)
        {
            foreach (var partition in group.Offsets.Keys.Where(key => key.Topic == topic).ToList())
                group.Offsets.Remove(partition);
        }
    }

    /// <summary>Forgets offsets of groups that have long had no members, then groups of which nothing is left.</summary>
    /// <exception cref="IOException">That could not be written; it is tried again.</exception>
    public void Clean()
    {
        var before = broker.Now - (long)broker.Options.OffsetsRetention.TotalMilliseconds;
        foreach (var group in _groups.Values.Where(group => group.EmptySince <= before))
        {
            var expired = broker.Locked(() => group.Offsets.Where(pair => pair.Value.CommittedAt <= before).Select(pair => pair.Key).ToList());
            if (expired.Count > 0)
                Forget(group, expired);
        }
        foreach (var group in _groups.Values.Where(group => group.EmptySince <= broker.Now - ForgottenAfter && group.Offsets.Count == 0))
            Delete(group.Id);
    }

    /// <summary>Takes an entry of the journal.</summary>
    public void Restore(JournalEntry entry, RequestReader r)
    {
        var id = r.String();
        switch (entry)
        {
            case JournalEntry.Group:
                var group = FindOrAdd(id);
                group.Generation = r.Int32();
                group.ProtocolType = r.String();
                break;
            case JournalEntry.GroupDeleted:
                _groups.TryRemove(id, out _);
                break;
            case JournalEntry.Offsets:
                var offsets = FindOrAdd(id).Offsets;
                foreach (var (partition, offset) in r.Array(28, ReadOffset))
                    offsets[partition] = offset;
                break;
            case JournalEntry.OffsetsDeleted:
                foreach (var partition in r.Array(6, static r => (r.String(), r.Int32())))
                    FindOrAdd(id).Offsets.Remove(partition);
                break;
            default:
                throw new InvalidDataException($"The journal has an entry of an unknown kind, {entry}: it was written by a newer version.");
        }
    }

    /// <summary>Entries that say everything; called under the broker's lock.</summary>
    public IEnumerable<Action<ResponseWriter>> Snapshot()
    {
        foreach (var group in _groups.Values.Where(group => group.Generation > 0 || group.Offsets.Count > 0))
        {
            yield return w => WriteGroup(w, group);
            yield return w => WriteOffsets(w, group.Id, [.. group.Offsets.Select(pair => (pair.Key.Topic, pair.Key.Partition, pair.Value))]);
        }
    }

    public void Dispose()
    {
        foreach (var group in _groups.Values)
            group.Dispose();
    }

    private static void WriteGroup(ResponseWriter w, Group group)
    {
        w.Int8((sbyte)JournalEntry.Group);
        w.String(group.Id);
        w.Int32(group.Generation);
        w.String(group.ProtocolType);
    }

    private static void WriteOffsets(ResponseWriter w, string group, IReadOnlyCollection<(string Topic, int Partition, CommittedOffset Offset)> offsets)
    {
        w.Int8((sbyte)JournalEntry.Offsets);
        w.String(group);
        w.Array(offsets, static (w, committed) =>
        {
            w.String(committed.Topic);
            w.Int32(committed.Partition);
            w.Int64(committed.Offset.Offset);
            w.Int32(committed.Offset.LeaderEpoch);
            w.String(committed.Offset.Metadata);
            w.Int64(committed.Offset.CommittedAt);
        });
    }

    private static ((string, int), CommittedOffset) ReadOffset(RequestReader r) =>
        ((r.String(), r.Int32()), new(r.Int64(), r.Int32(), r.String(), r.Int64()));
}
