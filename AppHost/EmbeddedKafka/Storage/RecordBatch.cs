using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Shop.KafkaBroker;

/// <summary>
/// The header of a record batch, format 2 ("Record Batch" in Apache Kafka's protocol documentation). The broker owns the
/// base offset and the leader epoch and writes them in place; the checksum covers only what follows them.
/// </summary>
internal static class RecordBatch
{
    public const int HeaderSize = 61;

    /// <summary>The bytes before the part that the batch's length counts: base offset and length.</summary>
    public const int LengthOverhead = 12;

    private const int CrcFrom = 21;

    public static long BaseOffset(ReadOnlySpan<byte> batch) => BinaryPrimitives.ReadInt64BigEndian(batch);

    /// <summary>The size of the whole batch in bytes.</summary>
    public static int Size(ReadOnlySpan<byte> batch) => LengthOverhead + BinaryPrimitives.ReadInt32BigEndian(batch[8..]);

    public static byte Magic(ReadOnlySpan<byte> batch) => batch[16];

    public static uint Crc(ReadOnlySpan<byte> batch) => BinaryPrimitives.ReadUInt32BigEndian(batch[17..]);

    public static BatchAttributes Attributes(ReadOnlySpan<byte> batch) => (BatchAttributes)BinaryPrimitives.ReadInt16BigEndian(batch[21..]);

    /// <summary>The number of the codec that compressed the records; 0 for none.</summary>
    public static int Codec(ReadOnlySpan<byte> batch) => (int)(Attributes(batch) & BatchAttributes.CodecMask);

    public static int LastOffsetDelta(ReadOnlySpan<byte> batch) => BinaryPrimitives.ReadInt32BigEndian(batch[23..]);

    public static long LastOffset(ReadOnlySpan<byte> batch) => BaseOffset(batch) + LastOffsetDelta(batch);

    /// <summary>The first record's timestamp, in milliseconds since 1970.</summary>
    public static long BaseTimestamp(ReadOnlySpan<byte> batch) => BinaryPrimitives.ReadInt64BigEndian(batch[27..]);

    /// <summary>The latest record's timestamp, in milliseconds since 1970.</summary>
    public static long MaxTimestamp(ReadOnlySpan<byte> batch) => BinaryPrimitives.ReadInt64BigEndian(batch[35..]);

    public static long ProducerId(ReadOnlySpan<byte> batch) => BinaryPrimitives.ReadInt64BigEndian(batch[43..]);

    public static short ProducerEpoch(ReadOnlySpan<byte> batch) => BinaryPrimitives.ReadInt16BigEndian(batch[51..]);

    public static int BaseSequence(ReadOnlySpan<byte> batch) => BinaryPrimitives.ReadInt32BigEndian(batch[53..]);

    public static int Count(ReadOnlySpan<byte> batch) => BinaryPrimitives.ReadInt32BigEndian(batch[57..]);

    /// <summary>The leader epoch in which the batch was appended.</summary>
    public static int LeaderEpoch(ReadOnlySpan<byte> batch) => BinaryPrimitives.ReadInt32BigEndian(batch[12..]);

    /// <summary>Writes what the broker decides: the offset of the first record, and the leader epoch.</summary>
    public static void Place(Span<byte> batch, long baseOffset, int leaderEpoch)
    {
        BinaryPrimitives.WriteInt64BigEndian(batch, baseOffset);
        BinaryPrimitives.WriteInt32BigEndian(batch[12..], leaderEpoch);
    }

    /// <summary>Whether a header can be that of a whole batch in its place, which costs next to nothing; what is in the batch, <see cref="IsIntact"/> tells.</summary>
    /// <param name="header">The header.</param>
    /// <param name="from">The lowest offset that may be there.</param>
    /// <param name="end">The offset before which the batch has to end.</param>
    /// <param name="room">The bytes from the batch's first on.</param>
    public static bool FitsIn(ReadOnlySpan<byte> header, long from, long end, long room)
    {
        var (first, size, delta) = (BaseOffset(header), Size(header), LastOffsetDelta(header));
        return Magic(header) == 2 && size >= HeaderSize && size <= room && first >= from && first < end && delta >= 0 && delta < end - first;
    }

    public static bool IsIntact(ReadOnlySpan<byte> batch) => Crc(batch) == Crc32C(batch[CrcFrom..]);

    /// <summary>Makes the header of a batch fit the fewer, uncompressed records behind it. Offsets and sequences stay what they were.</summary>
    public static void Resize(Span<byte> batch, int count)
    {
        BinaryPrimitives.WriteInt32BigEndian(batch[8..], batch.Length - LengthOverhead);
        BinaryPrimitives.WriteInt16BigEndian(batch[21..], (short)(Attributes(batch) & ~BatchAttributes.CodecMask));
        BinaryPrimitives.WriteInt32BigEndian(batch[57..], count);
        BinaryPrimitives.WriteUInt32BigEndian(batch[17..], Crc32C(batch[CrcFrom..]));
    }

    /// <summary>Makes the header tell the records' latest timestamp, each of which its creator gave.</summary>
    public static void CorrectTimestamp(Span<byte> batch, long maxTimestamp)
    {
        var attributes = Attributes(batch) & ~BatchAttributes.LogAppendTime;
        if (MaxTimestamp(batch) == maxTimestamp && Attributes(batch) == attributes)
            return;
        BinaryPrimitives.WriteInt16BigEndian(batch[21..], (short)attributes);
        BinaryPrimitives.WriteInt64BigEndian(batch[35..], maxTimestamp);
        BinaryPrimitives.WriteUInt32BigEndian(batch[17..], Crc32C(batch[CrcFrom..]));
    }

    /// <summary>CRC-32C (Castagnoli, RFC 3720), by the processor's own instruction where it has one.</summary>
    public static uint Crc32C(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(data))
            crc = BitOperations.Crc32C(crc, word);
        foreach (var single in data[(data.Length & ~7)..])
            crc = BitOperations.Crc32C(crc, single);
        return ~crc;
    }
}

/// <summary>The attributes of a record batch.</summary>
[Flags]
internal enum BatchAttributes : short
{
    None = 0,
    CodecMask = 7,
    LogAppendTime = 8,
    Transactional = 16,
    Control = 32,
}
