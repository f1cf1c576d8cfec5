using System.Buffers;

namespace Shop.KafkaBroker;

/// <summary>Sees one whole batch of a scan; false ends the scan.</summary>
internal delegate bool BatchVisitor(ReadOnlySpan<byte> batch, long position);

/// <summary>Reads a segment batch by batch: for recovery, for lookups by time and for compaction.</summary>
internal static class BatchScan
{
    private const int BufferSize = 256 * 1024;

    /// <summary>Visits whole batches until one is torn, the visitor has seen enough, or <paramref name="to"/> is reached.</summary>
    /// <param name="segment">The segment.</param>
    /// <param name="from">The position of a batch's first byte.</param>
    /// <param name="to">The position to stop at.</param>
    /// <param name="visit">Sees each batch.</param>
    /// <returns>The position behind the last batch that was visited and did not end the scan.</returns>
    public static long Visit(Segment segment, long from, long to, BatchVisitor visit)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(to - from, RecordBatch.HeaderSize, BufferSize));
        try
        {
            var (position, filled) = (from, 0);
            while (true)
            {
                var wanted = (int)Math.Min(buffer.Length - filled, to - position - filled);
                var read = segment.ReadFrom(position + filled, buffer.AsSpan(filled, wanted));
                filled += read;
                var used = 0;
                while (filled - used >= RecordBatch.HeaderSize)
                {
                    var size = RecordBatch.Size(buffer.AsSpan(used));
                    if (size < RecordBatch.HeaderSize || size > to - position - used)
                        return position + used;
                    if (size > filled - used)
                    {
                        if (size > buffer.Length)
                            Enlarge(ref buffer, size, filled);
                        break;
                    }
                    if (!visit(buffer.AsSpan(used, size), position + used))
                        return position + used;
                    used += size;
                }
                if (used == 0 && (read == 0 || position + filled >= to)) // the batch is torn, or the file ends before its time
                    return position;
                buffer.AsSpan(used, filled - used).CopyTo(buffer);
                position += used;
                filled -= used;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void Enlarge(ref byte[] buffer, int size, int filled)
    {
        var larger = ArrayPool<byte>.Shared.Rent(size);
        buffer.AsSpan(0, filled).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }
}
