using Microsoft.Win32.SafeHandles;

namespace Shop.KafkaBroker;

/// <summary>Reads whole batches from a log file into an answer.</summary>
internal static class BatchReader
{
    /// <summary>Copies the batches from <paramref name="position"/> on; returns the bytes copied, and the offset after them.</summary>
    public static int Read(SafeFileHandle log, long position, long end, int maxBytes, bool oneBatchAtLeast, ResponseWriter output, out long nextOffset)
    {
        var wanted = (int)Math.Min(maxBytes, end - position);
        nextOffset = -1;
        if (oneBatchAtLeast && wanted < end - position)
        {
            Span<byte> header = stackalloc byte[RecordBatch.HeaderSize];
            ReadFully(log, header, position);
            wanted = Math.Max(wanted, RecordBatch.Size(header));
        }
        if (wanted < RecordBatch.HeaderSize)
            return 0;
        var target = output.Reserve(wanted);
        ReadFully(log, target, position);
        var used = 0;
        while (wanted - used >= RecordBatch.HeaderSize)
        {
            var batch = target[used..];
            var size = RecordBatch.Size(batch);
            if (size > batch.Length)
                break;
            nextOffset = RecordBatch.LastOffset(batch) + 1;
            used += size;
        }
        output.Advance(used);
        return used;
    }

    private static void ReadFully(SafeFileHandle log, Span<byte> target, long position)
    {
        while (target.Length > 0)
        {
            var read = RandomAccess.Read(log, target, position);
            if (read == 0)
                throw new IOException("A log file is shorter than it was.");
            target = target[read..];
            position += read;
        }
    }
}
