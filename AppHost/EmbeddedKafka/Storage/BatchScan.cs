using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace Shop.KafkaBroker;

/// <summary>Sees one whole batch of a scan; false ends the scan.</summary>
internal delegate bool BatchVisitor(ReadOnlySpan<byte> batch, long position);

/// <summary>Reads a log file batch by batch: for recovery, for lookups by time and for compaction.</summary>
internal static class BatchScan
{
    private const int BufferSize = 256 * 1024;

    /// <summary>Visits whole batches until one is torn, the visitor has seen enough, or <paramref name="to"/> is reached.</summary>
    /// <param name="log">The file.</param>
    /// <param name="from">The position of a batch's first byte.</param>
    /// <param name="to">The position to stop at.</param>
    /// <param name="visit">Sees each batch.</param>
    /// <returns>The position behind the last batch that was visited and did not end the scan.</returns>
    public static long Visit(SafeFileHandle log, long from, long to, BatchVisitor visit)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(to - from, RecordBatch.HeaderSize, BufferSize));
        try
        {
            var (position, filled) = (from, 0);
            while (true)
            {
                var read = Fill(log, buffer, filled, position, to);
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

    private static int Fill(SafeFileHandle log, byte[] buffer, int filled, long position, long to)
    {
        var total = 0;
        var wanted = (int)Math.Min(buffer.Length - filled, to - position - filled);
        while (total < wanted)
        {
            var read = RandomAccess.Read(log, buffer.AsSpan(filled + total, wanted - total), position + filled + total);
            if (read == 0)
                break;
            total += read;
        }
        return total;
    }

    private static void Enlarge(ref byte[] buffer, int size, int filled)
    {
        var larger = ArrayPool<byte>.Shared.Rent(size);
        buffer.AsSpan(0, filled).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }
}
