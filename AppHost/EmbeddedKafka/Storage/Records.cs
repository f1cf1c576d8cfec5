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

/// <summary>
/// The records within a batch ("Record" in Apache Kafka's protocol documentation): looked at only where an offset is looked
/// up by time, and by compaction. Everything else takes batches as they are.
/// </summary>
internal static class Records
{
    /// <summary>A batch's records uncompressed; null when they cannot be had, because the codec's library is missing or they are damaged.</summary>
    public static byte[]? Uncompressed(ReadOnlySpan<byte> batch)
    {
        var records = batch[RecordBatch.HeaderSize..];
        try
        {
            return (int)(RecordBatch.Attributes(batch) & BatchAttributes.CodecMask) switch
            {
                0 => records.ToArray(),
                1 => Codecs.Gzip(records),
                2 => Codecs.Snappy(records),
                3 => Codecs.Lz4(records),
                4 => Codecs.Zstd(records),
                _ => null,
            };
        }
        catch (Exception damaged) when (damaged is InvalidDataException or IndexOutOfRangeException or ArgumentException or OverflowException)
        {
            return null;
        }
    }

    /// <summary>Where each record lies; null when the bytes are not that many records.</summary>
    public static List<RecordSpan>? Parse(ReadOnlySpan<byte> records, int count)
    {
        var spans = new List<RecordSpan>(Math.Min(count, records.Length / 7));
        var position = 0;
        for (var i = 0; i < count; i++)
        {
            var start = position;
            if (!TryVarint(records, ref position, out var length) || length < 6 || length > records.Length - position)
                return null;
            var end = position + (int)length;
            position++; // attributes: none are defined
            if (!TryVarint(records, ref position, out var timestampDelta) || !TryVarint(records, ref position, out var offsetDelta)
                || !TryVarint(records, ref position, out var keyLength) || keyLength > end - position)
                return null;
            var keyStart = position;
            position += (int)Math.Max(keyLength, 0);
            if (!TryVarint(records, ref position, out var valueLength) || valueLength > end - position)
                return null;
            spans.Add(new(start, end, (int)offsetDelta, timestampDelta, keyStart, (int)keyLength, (int)valueLength));
            position = end;
        }
        return position == records.Length ? spans : null;
    }

    /// <summary>Whether every record of a batch has a key, as compaction needs it; a batch that cannot be read is taken as it is.</summary>
    public static bool HaveKeys(ReadOnlySpan<byte> batch) =>
        Parse(Uncompressed(batch), RecordBatch.Count(batch))?.TrueForAll(record => record.KeyLength >= 0) ?? true;

    private static bool TryVarint(ReadOnlySpan<byte> records, ref int position, out long value)
    {
        ulong raw = 0;
        for (var shift = 0; shift < 70 && position < records.Length; shift += 7)
        {
            var next = records[position++];
            raw |= (ulong)(next & 0x7f) << shift;
            if (next >= 0x80)
                continue;
            value = (long)(raw >> 1) ^ -(long)(raw & 1);
            return true;
        }
        value = 0;
        return false;
    }
}
