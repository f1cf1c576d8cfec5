using System.Runtime.InteropServices;

namespace Shop.KafkaBroker;

/// <summary>Where one record lies within a batch's uncompressed records.</summary>
/// <param name="Start">The first byte of the record, its length included.</param>
/// <param name="End">The byte after it.</param>
/// <param name="OffsetDelta">Its offset, less the batch's.</param>
/// <param name="TimestampDelta">Its timestamp, less the batch's base timestamp, in milliseconds.</param>
/// <param name="KeyStart">The first byte of the key.</param>
/// <param name="KeyLength">The key's length; -1 for none.</param>
/// <param name="ValueLength">The value's length; -1 for a tombstone.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct RecordSpan(int Start, int End, int OffsetDelta, long TimestampDelta, int KeyStart, int KeyLength, int ValueLength);

/// <summary>The records within a batch ("Record" in Apache Kafka's protocol documentation).</summary>
internal static class Records
{
    private const int MaxVarint32 = 5;
    private const int MaxVarint64 = 10;

    /// <summary>A batch's records: its own bytes, or what they decompress to.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="scratch">Where compressed records are decompressed to; what is returned lies there.</param>
    /// <exception cref="InvalidDataException">They do not decompress.</exception>
    public static ReadOnlySpan<byte> Uncompressed(ReadOnlySpan<byte> batch, ResponseWriter scratch)
    {
        var codec = RecordBatch.Codec(batch);
        if (codec == 0)
            return batch[RecordBatch.HeaderSize..];
        scratch.Clear();
        Codecs.Decompress(codec, batch[RecordBatch.HeaderSize..], scratch);
        return scratch.Written.Span;
    }

    /// <summary>A batch's records and where each lies; null when they cannot be read.</summary>
    public static List<RecordSpan>? Parse(ReadOnlySpan<byte> batch, ResponseWriter scratch, out ReadOnlySpan<byte> records)
    {
        records = [];
        try
        {
            records = Uncompressed(batch, scratch);
        }
        catch (InvalidDataException)
        {
            return null;
        }
        var count = RecordBatch.Count(batch);
        var spans = new List<RecordSpan>(Math.Clamp(count, 0, records.Length / 7));
        var position = 0;
        for (var i = 0; i < count; i++)
        {
            if (!TryRead(records, ref position, out var record))
                return null;
            spans.Add(record);
        }
        return position == records.Length ? spans : null;
    }

    /// <summary>Reads the record at a position and moves behind it; false when there is none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> records, ref int position, out RecordSpan record)
    {
        record = default;
        var start = position;
        if (!TryVarint(records, ref position, MaxVarint32, out var length) || length < 6 || length > records.Length - position)
            return false;
        var end = position + (int)length;
        records = records[..end];
        position++; // attributes: none are defined
        if (!TryVarint(records, ref position, MaxVarint64, out var timestampDelta) || !TryVarint(records, ref position, MaxVarint32, out var offsetDelta)
            || !TryBytes(records, ref position, out var keyLength))
            return false;
        var keyStart = position - Math.Max(keyLength, 0);
        if (!TryBytes(records, ref position, out var valueLength) || !TryVarint(records, ref position, MaxVarint32, out var headers) || headers < 0)
            return false;
        for (; headers > 0; headers--)
        {
            if (!TryBytes(records, ref position, out var nameLength) || nameLength < 0 || !TryBytes(records, ref position, out _))
                return false;
        }
        record = new(start, end, (int)offsetDelta, timestampDelta, keyStart, keyLength, valueLength);
        return position == end;
    }

    /// <summary>Whether the number at a position does not end where a record's length has to.</summary>
    public static bool IsLengthEndless(ReadOnlySpan<byte> records) =>
        records.Length >= MaxVarint32 && !records[..MaxVarint32].ContainsAnyInRange((byte)0, (byte)0x7f);

    /// <summary>Passes bytes with their length before them; -1 is null, and less is nothing that all clients read.</summary>
    private static bool TryBytes(ReadOnlySpan<byte> records, ref int position, out int length)
    {
        var read = TryVarint(records, ref position, MaxVarint32, out var value) && value >= -1 && value <= records.Length - position;
        length = (int)value;
        if (read && length > 0)
            position += length;
        return read;
    }

    private static bool TryVarint(ReadOnlySpan<byte> records, ref int position, int maxBytes, out long value)
    {
        ulong raw = 0;
        for (var shift = 0; shift < maxBytes * 7 && (uint)position < (uint)records.Length; shift += 7)
        {
            var next = records[position++];
            raw |= (ulong)(next & 0x7f) << shift;
            if (next >= 0x80)
                continue;
            if (maxBytes == MaxVarint32)
                raw = (uint)raw;
            value = (long)(raw >> 1) ^ -(long)(raw & 1);
            return true;
        }
        value = 0;
        return false;
    }
}
