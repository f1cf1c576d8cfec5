using System.Buffers.Binary;
using Shop.Messaging.Consuming;

namespace Shop.Activity.CountingWindows;

/// <summary>What is in memory of a partition's counted events: the ids of some slots of time. Of whoever holds the partition's lock.</summary>
internal sealed class CountedLog
{
    /// <summary>What was made within a slot is read and forgotten together. A batch has events of few slots, and a slot few events of a partition.</summary>
    private static readonly TimeSpan SlotSize = TimeSpan.FromSeconds(10);

    /// <summary>Slots for events that do not say when they were made, nor when they happened: by their ids, which say nothing of it.</summary>
    private const int TimelessSlots = 4_096;

    /// <summary>What a slot takes besides its ids, in ids.</summary>
    private const int SlotWeight = 10;

    private readonly Dictionary<DateTimeOffset, Slot> _slots = [];
    private int _weight, _claims;

    /// <summary>What the last of the transactions that this memory is about left in the database.</summary>
    public Guid Token { get; set; }

    /// <summary>The latest slot with events in the database; null where that is not known.</summary>
    public DateTimeOffset? Latest { get; set; }

    /// <summary>
    /// The slot of an event: another delivery of it has the same, since an id of version 7 (RFC 9562) says when it was made. Of other ids it is
    /// the event's time that tells.
    /// </summary>
    public static DateTimeOffset SlotOf(ConsumedRecord record)
    {
        var (id, time) = (record.Event.Id, record.Event.Time);
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        if (id.Version == 7)
            time = DateTimeOffset.FromUnixTimeMilliseconds(Math.Min((long)(BinaryPrimitives.ReadUInt64BigEndian(bytes) >> 16), DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));
        else if (time == DateTimeOffset.UnixEpoch)
            return DateTimeOffset.UnixEpoch - ((1 + (BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]) % TimelessSlots)) * SlotSize);
        return new(time.UtcTicks - (time.UtcTicks % SlotSize.Ticks), TimeSpan.Zero);
    }

    /// <summary>Whether the database may know of events in a slot that are not in memory.</summary>
    public bool Misses(DateTimeOffset slot) => !_slots.ContainsKey(slot) && (Latest is null || slot <= Latest);

    /// <summary>A slot's events are in memory from now on: those that <see cref="Add"/> is told.</summary>
    public void Expect(DateTimeOffset slot) => Find(slot);

    /// <summary>Adds an event; false where it is known.</summary>
    public bool Add(DateTimeOffset slot, Guid id)
    {
        if (!Find(slot).Ids.Add(id))
            return false;
        _weight++;
        if (Latest is null || slot > Latest)
            Latest = slot;
        return true;
    }

    /// <summary>Forgets the slots that were not asked for, for the longest time, where there is too much in memory.</summary>
    public void Shrink()
    {
        _claims++;
        if (_weight <= CountedEvents.MaxIds)
            return;
        foreach (var (time, slot) in _slots.OrderBy(slot => slot.Value.UsedAt).TakeWhile(_ => _weight > CountedEvents.MaxIds * 3 / 4).ToList())
        {
            _slots.Remove(time);
            _weight -= SlotWeight + slot.Ids.Count;
        }
    }

    private Slot Find(DateTimeOffset time)
    {
        if (!_slots.TryGetValue(time, out var slot))
        {
            _slots.Add(time, slot = new());
            _weight += SlotWeight;
        }
        slot.UsedAt = _claims;
        return slot;
    }

    private sealed class Slot
    {
        public HashSet<Guid> Ids { get; } = [];

        /// <summary>The number of the last claim that asked for it.</summary>
        public int UsedAt { get; set; }
    }
}
