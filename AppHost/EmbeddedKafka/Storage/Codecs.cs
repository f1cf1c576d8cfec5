using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;

namespace Shop.KafkaBroker;

/// <summary>
/// Decompression, as far as lookups by time and compaction need it. The broker never compresses. Damaged input throws
/// <see cref="InvalidDataException"/>, <see cref="IndexOutOfRangeException"/> or <see cref="ArgumentException"/>.
/// </summary>
internal static class Codecs
{
    /// <summary>The most bytes a batch may become: what is larger is left as it is.</summary>
    private const int MaxSize = 64 * 1024 * 1024;

    private static ReadOnlySpan<byte> XerialMagic => [0x82, (byte)'S', (byte)'N', (byte)'A', (byte)'P', (byte)'P', (byte)'Y', 0];

    public static byte[] Gzip(ReadOnlySpan<byte> input)
    {
        using var stream = new GZipStream(new MemoryStream(input.ToArray()), CompressionMode.Decompress);
        var output = new Output();
        Span<byte> chunk = stackalloc byte[4096];
        for (int read; (read = stream.Read(chunk)) > 0;)
            output.Write(chunk[..read]);
        return output.ToArray();
    }

    /// <summary>Snappy (google/snappy format_description.txt), raw, or in the blocks of xerial's snappy-java, which Java clients write.</summary>
    public static byte[] Snappy(ReadOnlySpan<byte> input)
    {
        var output = new Output();
        if (!input.StartsWith(XerialMagic))
        {
            SnappyBlock(input, output);
            return output.ToArray();
        }
        for (input = input[16..]; input.Length > 0;)
        {
            var size = BinaryPrimitives.ReadInt32BigEndian(input);
            SnappyBlock(input.Slice(4, size), output);
            input = input[(4 + size)..];
        }
        return output.ToArray();
    }

    /// <summary>The LZ4 frame format (lz4_Frame_format.md), without verifying its checksums: the batch's own covers them.</summary>
    public static byte[] Lz4(ReadOnlySpan<byte> input)
    {
        const uint Magic = 0x184D2204;
        const uint Uncompressed = 0x80000000;
        if (BinaryPrimitives.ReadUInt32LittleEndian(input) != Magic)
            throw new InvalidDataException("no LZ4 frame");
        var flags = input[4];
        var (blockChecksum, contentSize) = ((flags & 16) != 0, (flags & 8) != 0);
        input = input[(7 + (contentSize ? 8 : 0))..];
        var output = new Output();
        for (uint size; (size = BinaryPrimitives.ReadUInt32LittleEndian(input)) != 0;)
        {
            var block = input.Slice(4, (int)(size & ~Uncompressed));
            if ((size & Uncompressed) != 0)
                output.Write(block);
            else
                Lz4Block(block, output);
            input = input[(4 + block.Length + (blockChecksum ? 4 : 0))..];
        }
        return output.ToArray();
    }

    /// <summary>Zstandard, by the system's library, which librdkafka brings along: .NET has it from version 11 on.</summary>
    public static byte[]? Zstd(ReadOnlySpan<byte> input)
    {
        try
        {
            for (var capacity = Math.Max(input.Length * 8, 64 * 1024); ; capacity *= 2)
            {
                var output = new byte[Math.Min(capacity, MaxSize)];
                var size = ZstdDecompress(ref MemoryMarshal.GetArrayDataReference(output), (nuint)output.Length,
                    ref MemoryMarshal.GetReference(input), (nuint)input.Length);
                if (ZstdIsError(size) == 0)
                    return output[..(int)size];
                if (capacity >= MaxSize)
                    return null;
            }
        }
        catch (Exception missing) when (missing is DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    private static void SnappyBlock(ReadOnlySpan<byte> input, Output output)
    {
        var position = 0;
        while (input[position++] >= 0x80) { } // the uncompressed length: the output grows as it comes
        while (position < input.Length)
        {
            var tag = input[position++];
            if ((tag & 3) == 0)
            {
                var length = tag >> 2;
                if (length >= 60)
                {
                    var bytes = length - 59;
                    length = LittleEndian(input.Slice(position, bytes));
                    position += bytes;
                }
                output.Write(input.Slice(position, length + 1));
                position += length + 1;
                continue;
            }
            var (copied, offset, size) = (tag & 3) switch
            {
                1 => (4 + ((tag >> 2) & 7), ((tag & 0xe0) << 3) | input[position], 1),
                2 => (1 + (tag >> 2), LittleEndian(input.Slice(position, 2)), 2),
                _ => (1 + (tag >> 2), LittleEndian(input.Slice(position, 4)), 4),
            };
            output.CopyBack(offset, copied);
            position += size;
        }
    }

    private static void Lz4Block(ReadOnlySpan<byte> input, Output output)
    {
        for (var position = 0; position < input.Length;)
        {
            var token = input[position++];
            var literals = Lz4Length(input, ref position, token >> 4);
            output.Write(input.Slice(position, literals));
            position += literals;
            if (position == input.Length)
                return; // the last sequence is literals only
            var offset = BinaryPrimitives.ReadUInt16LittleEndian(input[position..]);
            position += 2;
            output.CopyBack(offset, Lz4Length(input, ref position, token & 15) + 4);
        }
    }

    private static int Lz4Length(ReadOnlySpan<byte> input, ref int position, int length)
    {
        if (length < 15)
            return length;
        byte next;
        do
        {
            next = input[position++];
            length = checked(length + next);
        }
        while (next == 255);
        return length;
    }

    private static int LittleEndian(ReadOnlySpan<byte> bytes)
    {
        var value = 0;
        for (var i = bytes.Length - 1; i >= 0; i--)
            value = (value << 8) | bytes[i];
        return value;
    }

    [DllImport("libzstd.so.1", EntryPoint = "ZSTD_decompress")]
    private static extern nuint ZstdDecompress(ref byte output, nuint capacity, ref byte input, nuint size);

    [DllImport("libzstd.so.1", EntryPoint = "ZSTD_isError")]
    private static extern uint ZstdIsError(nuint result);

    /// <summary>What has been decompressed so far, which copies refer back to.</summary>
    private sealed class Output
    {
        private byte[] _bytes = new byte[16 * 1024];
        private int _length;

        public void Write(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Next(bytes.Length));

        public void CopyBack(int offset, int count)
        {
            if (offset <= 0 || offset > _length || count < 0)
                throw new InvalidDataException("a copy from before the start");
            var target = Next(count);
            var source = _length - count - offset;
            for (var i = 0; i < count; i++) // byte by byte: a copy may overlap what it writes
                target[i] = _bytes[source + i];
        }

        public byte[] ToArray() => _bytes[.._length];

        private Span<byte> Next(int count)
        {
            if (count > MaxSize - _length)
                throw new InvalidDataException("larger than any batch should be");
            if (count > _bytes.Length - _length)
                Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + count));
            _length += count;
            return _bytes.AsSpan(_length - count, count);
        }
    }
}
