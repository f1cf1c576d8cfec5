using System.Buffers.Binary;

namespace Shop.KafkaBroker.Tests;

/// <summary>Record batches made by hand.</summary>
internal static class Batches
{
    /// <summary>A batch of records with keys and values; a null value is a tombstone.</summary>
    public static byte[] Build(IReadOnlyList<(string? Key, string? Value)> records, long timestamp = 1_700_000_000_000, long producerId = -1, short epoch = -1, int sequence = -1)
    {
        using var body = new ResponseWriter();
        for (var i = 0; i < records.Count; i++)
        {
            using var record = new ResponseWriter();
            record.Int8(0);
            Varint(record, 0);
            Varint(record, i);
            Text(record, records[i].Key);
            Text(record, records[i].Value);
            Varint(record, 0);
            Varint(body, record.Length);
            record.Written.Span.CopyTo(body.Reserve(record.Length));
            body.Advance(record.Length);
        }
        var batch = new byte[RecordBatch.HeaderSize + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), batch.Length - 12);
        batch[16] = 2;
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(23), records.Count - 1);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(27), timestamp);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(35), timestamp);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(43), producerId);
        BinaryPrimitives.WriteInt16BigEndian(batch.AsSpan(51), epoch);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(53), sequence);
        body.Written.Span.CopyTo(batch.AsSpan(RecordBatch.HeaderSize));
        RecordBatch.Resize(batch, records.Count);
        return batch;
    }

    public static byte[] Build(string value, long timestamp = 1_700_000_000_000, long producerId = -1, short epoch = -1, int sequence = -1) =>
        Build([("key", value)], timestamp, producerId, epoch, sequence);

    /// <summary>Every record of a log, as offset, key and value.</summary>
    public static List<(long Offset, string? Key, string? Value)> ReadAll(PartitionLog log)
    {
        var found = new List<(long, string?, string?)>();
        var offset = log.LogStartOffset;
        while (offset < log.NextOffset)
        {
            using var output = new ResponseWriter();
            var result = log.Read(offset, 64 * 1024, true, output);
            Assert.Equal(ErrorCode.None, result.Error);
            if (result.Bytes == 0)
                break;
            for (var bytes = output.Written.Span; bytes.Length > 0; bytes = bytes[RecordBatch.Size(bytes)..])
            {
                var batch = bytes[..RecordBatch.Size(bytes)];
                Assert.True(RecordBatch.IsIntact(batch));
                found.AddRange(Read(batch));
                offset = RecordBatch.LastOffset(batch) + 1;
            }
        }
        return found;
    }

    /// <summary>Every record of a batch, as offset, key and value.</summary>
    public static List<(long Offset, string? Key, string? Value)> Read(ReadOnlySpan<byte> batch)
    {
        var found = new List<(long, string?, string?)>();
        using var scratch = new ResponseWriter();
        foreach (var record in Records.Parse(batch, scratch, out var records)!)
            found.Add((RecordBatch.BaseOffset(batch) + record.OffsetDelta, KeyOf(records, record), ValueOf(records, record)));
        return found;
    }

    private static string? KeyOf(ReadOnlySpan<byte> records, RecordSpan record) =>
        record.KeyLength < 0 ? null : System.Text.Encoding.UTF8.GetString(records.Slice(record.KeyStart, record.KeyLength));

    private static string? ValueOf(ReadOnlySpan<byte> records, RecordSpan record)
    {
        if (record.ValueLength < 0)
            return null;
        var start = record.KeyStart + Math.Max(record.KeyLength, 0);
        while ((records[start++] & 0x80) != 0) { }
        return System.Text.Encoding.UTF8.GetString(records.Slice(start, record.ValueLength));
    }

    private static void Text(ResponseWriter writer, string? text)
    {
        if (text is null)
        {
            Varint(writer, -1);
            return;
        }
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        Varint(writer, bytes.Length);
        bytes.CopyTo(writer.Reserve(bytes.Length));
        writer.Advance(bytes.Length);
    }

    public static void Varint(ResponseWriter writer, long value)
    {
        for (var left = (ulong)((value << 1) ^ (value >> 63)); ; left >>= 7)
        {
            writer.Int8((sbyte)(left >= 0x80 ? (left & 0x7f) | 0x80 : left));
            if (left < 0x80)
                return;
        }
    }
}
