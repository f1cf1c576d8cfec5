namespace Shop.KafkaBroker.Tests;

/// <summary>Looks into the files of a log, changes them as nobody should, and reads what a broker makes of that.</summary>
internal static class LogFiles
{
    /// <summary>Reads one batch after another; says at which offset that ended, and why.</summary>
    public static (int Offset, ErrorCode Error) ReadFrom(PartitionLog log, long offset)
    {
        while (true)
        {
            using var output = new ResponseWriter();
            var result = log.Read(offset, 5000, oneBatchAtLeast: true, output);
            if (result.Error != ErrorCode.None || result.Bytes == 0)
                return ((int)offset, result.Error);
            for (var batches = output.Written.Span; batches.Length > 0; batches = batches[RecordBatch.Size(batches)..])
            {
                Assert.InRange(RecordBatch.BaseOffset(batches), offset, long.MaxValue);
                Assert.True(RecordBatch.IsIntact(batches[..RecordBatch.Size(batches)]));
                offset = RecordBatch.LastOffset(batches) + 1;
            }
        }
    }

    public static long PositionOf(string file, long offset)
    {
        var content = ReadShared(file);
        var position = 0;
        while (RecordBatch.BaseOffset(content.AsSpan(position)) < offset)
            position += RecordBatch.Size(content.AsSpan(position));
        return position;
    }

    public static void Cut(string file, long length)
    {
        using var stream = File.OpenWrite(file);
        stream.SetLength(length);
    }

    public static void Flip(string file, long position)
    {
        var bytes = File.ReadAllBytes(file);
        bytes[position] ^= 1;
        File.WriteAllBytes(file, bytes);
    }

    public static long DamageHeader(string file, long offset, Action<byte[]> damage)
    {
        var position = PositionOf(file, offset);
        using var stream = File.Open(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        var header = new byte[RecordBatch.HeaderSize];
        stream.Position = position;
        stream.ReadExactly(header);
        damage(header);
        stream.Position = position;
        stream.Write(header);
        return position;
    }

    public static byte[] ReadShared(string file)
    {
        using var stream = File.Open(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }

    /// <summary>The offset after the last whole batch.</summary>
    public static int EndOf(string file)
    {
        var (content, position, end) = (ReadShared(file), 0, 0L);
        for (; content.Length - position >= RecordBatch.HeaderSize && RecordBatch.Size(content.AsSpan(position)) <= content.Length - position; position += RecordBatch.Size(content.AsSpan(position)))
            end = RecordBatch.LastOffset(content.AsSpan(position)) + 1;
        return (int)end;
    }
}
