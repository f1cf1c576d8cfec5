using System.Buffers.Binary;

namespace Shop.KafkaBroker;

/// <summary>
/// A partition's idempotent producers as they were at one moment, in a file with a checksum. One is written whenever a
/// segment is begun, so that recovery has to scan only the last segment; one at shutdown, so that it has to scan nothing, with
/// the offset at which the log ends, so that a log that lost something since then is not taken for whole.
/// </summary>
internal static class Checkpoint
{
    public static void Write(Disk disk, string path, ProducerStates producers, long nextOffset)
    {
        using var content = new ResponseWriter();
        content.Int32(0);
        producers.Write(content);
        content.Int64(nextOffset);
        content.Patch(0, (int)RecordBatch.Crc32C(content.Written.Span[4..]));
        using var file = disk.Open(path, FileMode.Create);
        disk.Write(file, content.Written.Span, 0);
        disk.Flush(file);
    }

    /// <summary>Reads a checkpoint into <paramref name="producers"/>; false when there is none, or it is damaged or cannot be read.</summary>
    /// <param name="path">The file.</param>
    /// <param name="producers">Where the producers go.</param>
    /// <param name="nextOffset">The offset at which the log ended.</param>
    public static bool TryRead(string path, ProducerStates producers, out long nextOffset)
    {
        nextOffset = -1;
        if (TryReadFile(path) is not { } content || content.Length < 8
            || BinaryPrimitives.ReadUInt32BigEndian(content) != RecordBatch.Crc32C(content.AsSpan(4)))
            return false;
        var reader = new RequestReader();
        reader.Reset(content, 4, content.Length - 4);
        producers.Read(reader);
        if (reader.Remaining < sizeof(long))
            return false;
        nextOffset = reader.Int64();
        return true;
    }

    private static byte[]? TryReadFile(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllBytes(path) : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
