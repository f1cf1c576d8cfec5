using System.Buffers.Binary;
using System.Numerics;
using Shop.Contracts;

namespace Shop.Messaging.Tests.Hosting;

/// <summary>What is wrong with a batch.</summary>
public enum Damage
{
    /// <summary>It cannot be decompressed; its checksum is right.</summary>
    Compression,

    /// <summary>Its records are none; its checksum is right.</summary>
    Records,

    /// <summary>A bit of a record's text fell over, of which only the checksum tells.</summary>
    Bit,
}

/// <summary>Looks into a broker's log files, and changes them as no broker would.</summary>
internal static class BrokerFiles
{
    private const int HeaderSize = 61, ChecksumAt = 17, AttributesAt = 21, Lz4 = 3;

    /// <summary>The log files of a topic, and where each ends.</summary>
    public static Dictionary<string, int> LogsOf(Topic topic, string directory) =>
        Directory.GetFiles(directory, "*.log", SearchOption.AllDirectories).Where(file => file.Contains(topic.Name, StringComparison.Ordinal)).ToDictionary(file => file, Length);

    /// <summary>Makes every batch from <paramref name="position"/> on one of which only the header can be read.</summary>
    /// <returns>The records that were in them.</returns>
    public static int DamageFrom(string file, int position, Damage damage)
    {
        var (log, records) = (Read(file), 0);
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        for (; SizeAt(log, position) is { } size; position += size)
        {
            var batch = log.AsSpan(position, size);
            records += BinaryPrimitives.ReadInt32BigEndian(batch[57..]);
            if (damage == Damage.Bit)
                FlipBit(batch);
            else
                Spoil(batch, damage);
            stream.Position = position;
            stream.Write(batch);
        }
        return records;
    }

    /// <summary>Makes the first batch of a log one that a broker does not find, be it running.</summary>
    public static void ClearFirstHeader(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        stream.Write(new byte[HeaderSize]);
    }

    /// <summary>What a power loss may do to a broker that is stopped: a topic's logs end earlier, and what vouches for them is gone.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="directory">Where EmbeddedKafka keeps its log.</param>
    /// <param name="lengthOf">How long a file is from now on.</param>
    public static void LoseEnd(Topic topic, string directory, Func<string, long> lengthOf)
    {
        foreach (var file in LogsOf(topic, directory).Keys)
        {
            var length = lengthOf(file);
            using (var stream = File.OpenWrite(file))
                stream.SetLength(length);
            File.Delete(Path.ChangeExtension(file, ".index"));
            File.Delete(Path.Combine(Path.GetDirectoryName(file)!, "clean"));
        }
    }

    /// <summary>The end of a log's last batch; a file may be longer.</summary>
    private static int Length(string file)
    {
        var (log, position) = (Read(file), 0);
        while (SizeAt(log, position) is { } size)
            position += size;
        return position;
    }

    /// <summary>Makes the last event of a batch another one.</summary>
    private static void FlipBit(Span<byte> batch)
    {
        var name = "\"number\":"u8;
        var at = batch.LastIndexOf(name);
        Assert.NotEqual(-1, at);
        batch[at + name.Length] ^= 1;
    }

    private static void Spoil(Span<byte> batch, Damage damage)
    {
        if (damage == Damage.Compression)
            BinaryPrimitives.WriteInt16BigEndian(batch[AttributesAt..], Lz4);
        batch[HeaderSize..].Fill(0xFF);
        var checksum = uint.MaxValue;
        foreach (var single in batch[AttributesAt..])
            checksum = BitOperations.Crc32C(checksum, single);
        BinaryPrimitives.WriteUInt32BigEndian(batch[ChecksumAt..], ~checksum);
    }

    private static int? SizeAt(byte[] log, int position) =>
        position + HeaderSize <= log.Length && BinaryPrimitives.ReadInt32BigEndian(log.AsSpan(position + 8)) is > 0 and var length ? 12 + length : null;

    private static byte[] Read(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
