using Shop.Messaging.Consuming;

namespace Shop.Activity.CountingWindows;

/// <summary>What is in memory of a partition's counted events: the ids of some slots of time. Used by whoever holds the partition's lock.</summary>
internal sealed class CountedLog
{
    /// <summary>What happens within a slot is read and forgotten together. A batch has events of few slots, and a slot few events of a partition.</summary>
    private static readonly TimeSpan SlotSize = TimeSpan.FromSeconds(10);

    /// <summary>Slots for events that do not say when they happened: by their ids, which say nothing of it.</summary>
    private const int TimelessSlots = 4_096;

    private readonly SortedDictionary<DateTimeOffset, HashSet<Guid>> _slots = [];
    private int _ids;

    /// <summary>What the last of the transactions that this memory is about left in the database.</summary>
    public Guid? Token { get; set; }

    /// <summary>The latest slot with events in the database; null where that is not known.</summary>
    public DateTimeOffset? Latest { get; set; }

    /// <summary>The slot of a record's event: another delivery of the event has the same.</summary>
    public static DateTimeOffset SlotOf(ConsumedRecord record)
    {
        var time = record.Event.Time;
        return time == DateTimeOffset.UnixEpoch
            ? DateTimeOffset.UnixEpoch - ((1 + (BitConverter.ToUInt16(record.Event.Id.ToByteArray(), 14) % TimelessSlots)) * SlotSize)
            : new(time.UtcTicks - (time.UtcTicks % SlotSize.Ticks), TimeSpan.Zero);
    }

    /// <summary>Whether the database may know of events in a slot that are not in memory.</summary>
    public bool Misses(DateTimeOffset slot) => !_slots.ContainsKey(slot) && (Latest is null || slot <= Latest);

    /// <summary>A slot's events are in memory from now on: those that <see cref="Add"/> is told.</summary>
    public void Expect(DateTimeOffset slot) => _slots.TryAdd(slot, []);

    /// <summary>Adds an event; false where it is known.</summary>
    public bool Add(DateTimeOffset slot, Guid id)
    {
        if (!_slots.TryGetValue(slot, out var ids))
            _slots.Add(slot, ids = []);
        if (!ids.Add(id))
            return false;
        _ids++;
        if (Latest is null || slot > Latest)
            Latest = slot;
        return true;
    }

    /// <summary>Forgets the oldest slots, where there is too much in memory.</summary>
    public void Shrink()
    {
        // an empty one costs something, too
        while (_slots.Count > 1 && _ids + _slots.Count > CountedEvents.MaxIds)
        {
            var (slot, ids) = _slots.First();
            _slots.Remove(slot);
            _ids -= ids.Count;
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Forget()
    {
        _slots.Clear();
        (_ids, Token, Latest) = (0, null, null);
    }
}
