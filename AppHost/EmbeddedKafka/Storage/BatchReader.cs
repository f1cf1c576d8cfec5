namespace Shop.KafkaBroker;

/// <summary>Reads whole batches from a segment into an answer.</summary>
internal static class BatchReader
{
    /// <summary>Copies the batches that a range begins with; returns the bytes copied, and the offset after them.</summary>
    /// <exception cref="DamagedLogException">The first of them is damaged. A later one ends the reading before it.</exception>
    public static int Read(Segment segment, ReadRange range, int maxBytes, bool oneBatchAtLeast, ResponseWriter output, out long nextOffset)
    {
        var room = range.End - range.Position;
        var wanted = (int)Math.Min(maxBytes, room);
        nextOffset = -1;
        if (oneBatchAtLeast && wanted < room)
        {
            Span<byte> header = stackalloc byte[RecordBatch.HeaderSize];
            segment.ReadHeader(range, header);
            wanted = Math.Max(wanted, RecordBatch.Size(header));
        }
        if (room < RecordBatch.HeaderSize)
            throw segment.DamagedAt(range);
        if (wanted < RecordBatch.HeaderSize)
            return 0;
        var target = output.Reserve(wanted);
        target = target[..segment.ReadFrom(range.Position, target)];
        var used = 0;
        while (target.Length - used >= RecordBatch.HeaderSize)
        {
            var batch = target[used..];
            if (!segment.IsInPlace(batch, range))
                break;
            var size = RecordBatch.Size(batch);
            if (size > batch.Length)
            {
                if (used == 0 && target.Length == wanted)
                    return 0; // it is larger than what is wanted
                break;
            }
            nextOffset = RecordBatch.LastOffset(batch) + 1;
            used += size;
            range = range with { Position = range.Position + size, FirstOffset = nextOffset };
        }
        if (used == 0)
            throw segment.DamagedAt(range);
        output.Advance(used);
        return used;
    }
}
