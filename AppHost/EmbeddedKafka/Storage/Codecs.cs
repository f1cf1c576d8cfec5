using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using K4os.Compression.LZ4.Streams;
using ZstdSharp;

namespace Shop.KafkaBroker;

/// <summary>Decompression of a batch's records, in the formats Kafka gives each codec. The broker never compresses.</summary>
internal static class Codecs
{
    /// <summary>The most bytes a batch may become: what is larger counts as damaged.</summary>
    private const int MaxSize = 64 * 1024 * 1024;

    /// <summary>Zstandard's number.</summary>
    public const int Zstd = 4;

    private const int Chunk = 16 * 1024;

    private const byte Lz4IndependentBlocks = 0x20;

    private static ReadOnlySpan<byte> XerialMagic => [0x82, (byte)'S', (byte)'N', (byte)'A', (byte)'P', (byte)'P', (byte)'Y', 0];

    /// <summary>Decompresses records.</summary>
    /// <param name="codec">The codec's number in a batch's attributes.</param>
    /// <param name="input">What is compressed.</param>
    /// <param name="output">Where the records are written.</param>
    /// <exception cref="InvalidDataException">The codec is unknown, or the input is none of its kind, whole and of bearable size.</exception>
    public static void Decompress(int codec, ReadOnlySpan<byte> input, ResponseWriter output)
    {
        if (input.IsEmpty && codec != Zstd)
            throw new InvalidDataException("nothing is no stream");
        var copy = ArrayPool<byte>.Shared.Rent(input.Length);
        try
        {
            input.CopyTo(copy);
            using var source = new MemoryStream(copy, 0, input.Length);
            switch (codec)
            {
                case 1:
                    Copy(new GZipStream(source, CompressionMode.Decompress), output);
                    if (BinaryPrimitives.ReadUInt32LittleEndian(input[^4..]) != (uint)output.Length) // the stream does not miss its own end
                        throw new InvalidDataException("the gzip member is not whole");
                    break;
                case 2:
                    Snappy(input, output);
                    break;
                case 3:
                    if ((input[4] & Lz4IndependentBlocks) == 0)
                        throw new InvalidDataException("blocks that refer to each other: Kafka's clients do not read them");
                    Copy(LZ4Stream.Decode(source), output);
                    break;
                case Zstd:
                    Copy(new DecompressionStream(source), output);
                    break;
                default:
                    throw new InvalidDataException($"there is no codec {codec}");
            }
        }
        catch (Exception damaged) when (damaged is EndOfStreamException or ZstdException or ArgumentException or IndexOutOfRangeException or OverflowException or InvalidOperationException or NotImplementedException)
        {
            throw new InvalidDataException("the compressed records are damaged", damaged);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
    }

    private static void Copy(Stream decoder, ResponseWriter output)
    {
        using (decoder)
        {
            for (int read; (read = decoder.Read(Room(output, Chunk))) > 0;)
                output.Advance(read);
        }
    }

    /// <summary>Snappy, raw, or in the blocks of xerial's snappy-java, which Java clients write.</summary>
    private static void Snappy(ReadOnlySpan<byte> input, ResponseWriter output)
    {
        if (!input.StartsWith(XerialMagic))
        {
            SnappyBlock(input, output);
            return;
        }
        for (input = input[16..]; input.Length > 0;)
        {
            var size = BinaryPrimitives.ReadInt32BigEndian(input);
            SnappyBlock(input.Slice(4, size), output);
            input = input[(4 + size)..];
        }
    }

    private static void SnappyBlock(ReadOnlySpan<byte> block, ResponseWriter output)
    {
        var size = Snappier.Snappy.GetUncompressedLength(block);
        if (SnappyLength(block) != size)
            throw new InvalidDataException("the block's elements are not as long together as it says");
        output.Advance(Snappier.Snappy.Decompress(block, Room(output, size)));
    }

    /// <summary>What a block's elements amount to: the library takes a block whose last literal is cut, and other readers do not.</summary>
    private static long SnappyLength(ReadOnlySpan<byte> block)
    {
        var (position, total) = (0, 0L);
        while (block[position++] >= 0x80) { } // the length as the block tells it
        while (position < block.Length)
        {
            var tag = block[position++];
            var length = (long)(tag >> 2);
            if ((tag & 3) == 0)
            {
                for (var (bytes, i) = ((int)length - 59, 0); i < bytes; i++)
                    length = (i == 0 ? 0 : length) | ((long)block[position++] << (8 * i));
                position = checked(position + (int)length + 1);
            }
            else if ((tag & 3) == 1)
            {
                length &= 7;
                length += 3;
                position += 1;
            }
            else
            {
                position += (tag & 3) == 2 ? 2 : 4;
            }
            total += length + 1;
        }
        return position == block.Length ? total : -1;
    }

    private static Span<byte> Room(ResponseWriter output, int count) => count <= MaxSize - output.Length ? output.Reserve(count)
        : throw new InvalidDataException("the records are larger than any batch should be");
}
