using System.Buffers.Binary;
using NpgsqlTypes;

namespace Shop.Messaging.ChangeCapture;

/// <summary>Ids of captured changes: a change that is read again, after a crash, is the same event again, which inboxes drop.</summary>
internal static class EventIds
{
    /// <summary>
    /// A UUIDv7 (RFC 9562, section 5.7) of the commit's time whose other bits are the transaction's place in the log and the change's place in it.
    /// </summary>
    public static Guid Of(DateTimeOffset committedAt, NpgsqlLogSequenceNumber transaction, uint index)
    {
        Span<byte> bytes = stackalloc byte[16];
        var high = ((ulong)committedAt.ToUnixTimeMilliseconds() << 16) | 0x7000 | (index & 0xFFF);
        var low = (1ul << 63) | ((ulong)(index >> 12) & 0x3FFFF) << 44 | (ulong)transaction & 0xFFF_FFFF_FFFF;
        BinaryPrimitives.WriteUInt64BigEndian(bytes, high);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], low);
        return new Guid(bytes, bigEndian: true);
    }
}
