using System.Buffers.Binary;
using System.Text;

namespace Shop.KafkaBroker;

/// <summary>
/// Reads the primitive types of the Kafka protocol from one request. Everything read is bounded by the request's own
/// length: a length on the wire can never make the broker allocate more than the bytes that were really sent.
/// </summary>
internal sealed class RequestReader
{
    private byte[] _buffer = [];
    private int _position;
    private int _end;

    /// <summary>Whether strings, bytes and arrays use the compact encoding, and structures end with tagged fields (KIP-482).</summary>
    public bool Flexible { get; set; }

    public int Remaining => _end - _position;

    public void Reset(byte[] buffer, int start, int length)
    {
        _buffer = buffer;
        _position = start;
        _end = start + length;
        Flexible = false;
    }

    public sbyte Int8() => (sbyte)Take(1)[0];

    public bool Boolean() => Take(1)[0] != 0;

    public short Int16() => BinaryPrimitives.ReadInt16BigEndian(Take(2));

    public int Int32() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

    public long Int64() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

    public Guid Uuid() => new(Take(16), bigEndian: true);

    public string String() => NullableString() ?? throw new MalformedRequestException("a string is null");

    public string? NullableString()
    {
        var length = Flexible ? UnsignedVarint() - 1 : Int16();
        return length < 0 ? null : Encoding.UTF8.GetString(Take(length));
    }

    /// <summary>Bytes within the request's buffer, valid until the request is answered; null on the wire is empty here.</summary>
    public Memory<byte> Bytes()
    {
        var length = Flexible ? UnsignedVarint() - 1 : Int32();
        if (length <= 0)
            return default;
        Take(length);
        return _buffer.AsMemory(_position - length, length);
    }

    /// <summary>The number of elements of an array that follows, or -1 for null.</summary>
    /// <param name="minimumElementSize">The fewest bytes an element can take, which bounds the number.</param>
    public int ArrayLength(int minimumElementSize)
    {
        var length = Flexible ? UnsignedVarint() - 1 : Int32();
        if ((long)length * minimumElementSize > Remaining)
            throw new MalformedRequestException($"an array claims {length} elements in {Remaining} bytes");
        return Math.Max(length, -1);
    }

    /// <summary>Reads an array; null on the wire becomes null here.</summary>
    public T[]? NullableArray<T>(int minimumElementSize, Func<RequestReader, T> element)
    {
        var length = ArrayLength(minimumElementSize);
        if (length < 0)
            return null;
        var items = new T[length];
        for (var i = 0; i < length; i++)
            items[i] = element(this);
        return items;
    }

    /// <summary>Reads an array; null on the wire becomes empty here.</summary>
    public T[] Array<T>(int minimumElementSize, Func<RequestReader, T> element) => NullableArray(minimumElementSize, element) ?? [];

    /// <summary>Skips tagged fields, where the encoding has them.</summary>
    public void TaggedFields()
    {
        if (!Flexible)
            return;
        for (var left = UnsignedVarint(); left > 0; left--)
        {
            UnsignedVarint();
            Take(UnsignedVarint());
        }
    }

    public int UnsignedVarint()
    {
        uint value = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var next = Take(1)[0];
            value |= (uint)(next & 0x7f) << shift;
            if (next < 0x80)
                return value <= int.MaxValue ? (int)value : throw new MalformedRequestException("a length is negative");
        }
        throw new MalformedRequestException("a variable-length number is longer than five bytes");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count < 0 || count > Remaining)
            throw new MalformedRequestException($"{count} bytes are wanted where {Remaining} are left");
        _position += count;
        return _buffer.AsSpan(_position - count, count);
    }
}
