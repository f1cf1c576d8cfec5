namespace Shop.KafkaBroker;

/// <summary>Where reading goes on behind damage that the index does not know of.</summary>
/// <param name="Damage">The position of the damage.</param>
/// <param name="Position">The position of the first whole batch behind it, be it one that is still to be appended.</param>
/// <param name="Offset">That batch's first offset.</param>
internal readonly record struct Resumption(long Damage, long Position, long Offset);

/// <summary>
/// Damage that is met while the segment is in use. Searches begin at entries of the index, so what is between the damage and the next entry, and all
/// that is appended there later, would be lost with it.
/// </summary>
internal sealed partial class Segment
{
    private readonly Lock _searching = new();
    private volatile Resumption[] _resumptions = [];

    /// <summary>What to throw, or to say, when there is no batch where a range begins.</summary>
    public DamagedLogException DamagedAt(ReadRange range)
    {
        IsDamaged = true;
        return new(this, range);
    }

    /// <summary>Whether an offset is behind damage, so that a search for it may begin behind that from now on. The first to ask looks for the place, and others wait.</summary>
    public bool IsBehind(long offset, ReadRange damage)
    {
        lock (_searching)
        {
            foreach (var known in _resumptions)
            {
                if (known.Damage == damage.Position)
                    return offset >= known.Offset;
            }
            var position = FindWhole(damage, out var next);
            if (position == damage.End && position == Length && Index.Sealed)
                next = long.MaxValue; // nothing will ever be there
            _resumptions = [.. _resumptions, new(damage.Position, position, next)];
            return offset >= next;
        }
    }

    /// <summary>Where a search for an offset begins.</summary>
    private ReadRange SearchFrom(long offset)
    {
        var entry = Index.Before(offset - BaseOffset);
        var range = RangeFrom(entry.Position, BaseOffset + entry.RelativeOffset);
        foreach (var known in _resumptions)
        {
            if (known.Offset <= offset && known.Position > range.Position)
                range = range with { Position = known.Position, FirstOffset = known.Offset };
        }
        return range;
    }
}
