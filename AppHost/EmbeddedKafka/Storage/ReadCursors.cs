namespace Shop.KafkaBroker;

/// <summary>Where a read ended: the next read from that offset starts there, without a search.</summary>
internal sealed record ReadCursor(long Offset, Segment Segment, long Position);

/// <summary>The ends of a partition's latest reads. Consumers read on where they stopped, so almost every read finds its place here.</summary>
internal sealed class ReadCursors
{
    private readonly ReadCursor?[] _cursors = new ReadCursor?[8];
    private uint _next;

    public void Remember(ReadCursor cursor) => _cursors[Interlocked.Increment(ref _next) % (uint)_cursors.Length] = cursor;

    public bool TryFind(long offset, out Segment? segment, out long position)
    {
        foreach (var cursor in _cursors)
        {
            if (cursor?.Offset != offset)
                continue;
            (segment, position) = (cursor.Segment, cursor.Position);
            return true;
        }
        (segment, position) = (null, 0);
        return false;
    }

    /// <summary>Forgets everything, when segments were replaced.</summary>
    public void Clear() => Array.Clear(_cursors);
}
