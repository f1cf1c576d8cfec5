using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Shop.KafkaBroker;

/// <summary>
/// Writes the primitive types of the Kafka protocol into one pooled buffer, which holds the answers not sent yet. Records
/// are read from the log's file straight into it, so a fetched byte is copied once on its way to the socket.
/// </summary>
internal sealed class ResponseWriter : IDisposable
{
    private const int InitialSize = 16 * 1024;
    private const int KeptSize = 256 * 1024;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(InitialSize);

    /// <summary>Whether the compact encoding with tagged fields is written (KIP-482).</summary>
    public bool Flexible { get; set; }

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, Length);

    public void Int8(sbyte value) => Next(1)[0] = (byte)value;

    public void Boolean(bool value) => Next(1)[0] = value ? (byte)1 : (byte)0;

    public void Int16(short value) => BinaryPrimitives.WriteInt16BigEndian(Next(2), value);

    public void Error(ErrorCode value) => Int16((short)value);

    public void Int32(int value) => BinaryPrimitives.WriteInt32BigEndian(Next(4), value);

    public void Int64(long value) => BinaryPrimitives.WriteInt64BigEndian(Next(8), value);

    public void Uuid(Guid value) => value.TryWriteBytes(Next(16), bigEndian: true, out _);

    public void String(string? value)
    {
        var length = value is null ? -1 : Encoding.UTF8.GetByteCount(value);
        if (Flexible)
            UnsignedVarint(length + 1);
        else
            Int16(checked((short)length));
        if (length > 0)
            Encoding.UTF8.GetBytes(value, Next(length));
    }

    public void Bytes(ReadOnlySpan<byte> value)
    {
        if (Flexible)
            UnsignedVarint(value.Length + 1);
        else
            Int32(value.Length);
        value.CopyTo(Next(value.Length));
    }

    public void ArrayLength(int length)
    {
        if (Flexible)
            UnsignedVarint(length + 1);
        else
            Int32(length);
    }

    public void Array<T>(IReadOnlyCollection<T>? items, Action<ResponseWriter, T> element)
    {
        ArrayLength(items?.Count ?? -1);
        foreach (var item in items ?? [])
            element(this, item);
    }

    /// <summary>No tagged fields, where the encoding has them.</summary>
    public void TaggedFields()
    {
        if (Flexible)
            Int8(0);
    }

    /// <summary>Room for up to <paramref name="count"/> bytes at the end, to be claimed with <see cref="Advance"/>.</summary>
    public Span<byte> Reserve(int count)
    {
        Grow(count);
        return _buffer.AsSpan(Length, count);
    }

    public void Advance(int count) => Length += count;

    /// <summary>Writes a number at an earlier place: a length or an error that is known only afterwards.</summary>
    public void Patch(int position, int value) => BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(position, 4), value);

    /// <summary>Forgets what was written after <paramref name="length"/>.</summary>
    public void Truncate(int length) => Length = length;

    /// <summary>Forgets everything, and returns a buffer that a large answer made grow to the pool.</summary>
    public void Clear()
    {
        Length = 0;
        if (_buffer.Length <= KeptSize)
            return;
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = ArrayPool<byte>.Shared.Rent(InitialSize);
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private void UnsignedVarint(int value)
    {
        var left = (uint)value;
        for (; left >= 0x80; left >>= 7)
            Next(1)[0] = (byte)(left | 0x80);
        Next(1)[0] = (byte)left;
    }

    private Span<byte> Next(int count)
    {
        Grow(count);
        Length += count;
        return _buffer.AsSpan(Length - count, count);
    }

    private void Grow(int count)
    {
        if (_buffer.Length - Length >= count)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, Length + count));
        _buffer.AsSpan(0, Length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
