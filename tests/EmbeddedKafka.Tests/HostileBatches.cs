using System.Buffers.Binary;
using System.IO.Compression;
using K4os.Compression.LZ4.Streams;
using ZstdSharp;

namespace Shop.KafkaBroker.Tests;

/// <summary>A batch that a producer with a fault might send.</summary>
/// <param name="Name">What is wrong with it, or not.</param>
/// <param name="Bytes">The batch.</param>
/// <param name="Error">What Apache Kafka 4.3 answers.</param>
/// <param name="Ours">What EmbeddedKafka answers where it is stricter; else the same.</param>
internal sealed record HostileBatch(string Name, byte[] Bytes, ErrorCode Error, ErrorCode? Ours = null);

/// <summary>Batches with each kind of damage, around records written by hand.</summary>
internal static class HostileBatches
{
    private const long Day = 24 * 60 * 60 * 1000;

    /// <summary>Offers each kind of damage once.</summary>
    public static IEnumerable<HostileBatch> All(long now)
    {
        var good = Record(0);
        byte[] With(byte[] records, int count = 1, int attributes = 0, int? last = null, long? timestamp = null, long? max = null,
            long producerId = -1, short epoch = -1, int sequence = -1, Action<byte[]>? then = null) =>
            Batch(records, count, attributes, last ?? count - 1, timestamp ?? now, max ?? timestamp ?? now, producerId, epoch, sequence, then);

        foreach (var (codec, name) in new[] { "no codec", "gzip", "snappy", "lz4", "zstd" }.Index())
        {
            var (packed, two) = (Compress(codec, good), Compress(codec, [.. good, .. Record(1)]));
            yield return new($"{name}: one record", With(packed, 1, codec), ErrorCode.None);
            yield return new($"{name}: two records", With(two, 2, codec), ErrorCode.None);
            yield return new($"{name}: fewer records than told", With(packed, 5, codec), ErrorCode.InvalidRecord);
            yield return new($"{name}: more records than told", With(two, 1, codec), ErrorCode.InvalidRecord);
            yield return new($"{name}: no records", With(Compress(codec, []), 1, codec), codec == 1 ? ErrorCode.UnknownServerError : ErrorCode.InvalidRecord);
            yield return new($"{name}: a timestamp two hours ahead", With(Compress(codec, Record(0, timestampDelta: 7_200_000)), 1, codec), ErrorCode.InvalidTimestamp);
            yield return new($"{name}: a header's count beyond the record", With(Compress(codec, Record(0, headers: Varint(100))), 1, codec), ErrorCode.InvalidRecord);
            var stricter = codec == 0 ? ErrorCode.None : ErrorCode.UnknownServerError;
            var ours = codec == 0 ? ErrorCode.InvalidRecord : ErrorCode.UnknownServerError;
            yield return new($"{name}: a first offset that is not 0", With(Compress(codec, Record(5)), 1, codec), stricter, ours);
            yield return new($"{name}: offsets backwards", With(Compress(codec, [.. Record(1), .. Record(0)]), 2, codec), stricter, ours);
            if (codec == 0)
                continue;
            yield return new($"{name}: random bytes", With(Noise(64), 1, codec), ErrorCode.UnknownServerError);
            yield return new($"{name}: records that are not compressed", With(good, 1, codec), ErrorCode.UnknownServerError);
            yield return new($"{name}: nothing at all", With([], 1, codec), codec == 4 ? ErrorCode.InvalidRecord : ErrorCode.UnknownServerError);
        }
        foreach (var codec in new[] { 5, 6, 7 })
            yield return new($"codec {codec}", With(good, 1, codec), ErrorCode.UnknownServerError);
        yield return new("gzip without its end", With(Compress(1, good)[..^4], 1, 1), ErrorCode.UnknownServerError);
        yield return new("gzip with another checksum", With([.. Compress(1, good)[..^8], 1, 2, 3, 4, .. Compress(1, good)[^4..]], 1, 1), ErrorCode.UnknownServerError);

        yield return new("lz4 with blocks that refer to each other", With(Compress(3, good, linked: true), 1, 3), ErrorCode.UnknownServerError);

        yield return new("bytes that are no record", With(Enumerable.Repeat((byte)0xff, 20).ToArray()), ErrorCode.UnknownServerError);
        yield return new("an empty record", With([0]), ErrorCode.InvalidRecord);
        foreach (var (name, count, last) in new[] { ("no", 0, 0), ("no", 0, -1), ("minus one", -1, 0), ("the least", int.MinValue, 0), ("the most", int.MaxValue, int.MaxValue - 1) })
            yield return new($"a count of {name} records, last {last}", With(good, count, last: last), ErrorCode.InvalidRecord);
        foreach (var last in new[] { 5, -5, int.MaxValue, int.MinValue })
            yield return new($"a last offset of {last}", With(good, last: last), ErrorCode.InvalidRecord);
        foreach (var offset in new long[] { 5, -5 })
            yield return new($"a first offset of {offset}", With(good, then: batch => BinaryPrimitives.WriteInt64BigEndian(batch, offset)), ErrorCode.InvalidRecord);
        foreach (var (magic, error) in new[] { (0, ErrorCode.InvalidRecord), (1, ErrorCode.InvalidRecord), (3, ErrorCode.CorruptMessage), (255, ErrorCode.CorruptMessage) })
            yield return new($"magic {magic}", With(good, then: batch => batch[16] = (byte)magic), error);
        yield return new("another checksum", With(good, then: batch => batch[17]++), ErrorCode.CorruptMessage);
        foreach (var length in new[] { int.MinValue, -1000, -1, 0, 13, 14, 30, 48, 49, 49 + good.Length - 1 })
            yield return new($"a length of {length}", With(good, then: batch => BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), length)), ErrorCode.CorruptMessage);
        foreach (var length in new[] { 49 + good.Length + 1, 1 << 30 })
            yield return new($"a length of {length}", With(good, then: batch => BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), length)), ErrorCode.InvalidRecord);
        foreach (var size in new[] { 0, 5, 11, 12, 16, 17, 30, 60 })
            yield return new($"only {size} bytes", With(good)[..size], ErrorCode.InvalidRecord);
        yield return new("two batches", [.. With(good), .. With(good)], ErrorCode.InvalidRecord);
        yield return new("three bytes behind the batch", [.. With(good), 1, 2, 3], ErrorCode.None);
        yield return new("twenty bytes behind the batch", [.. With(good), .. new byte[20]], ErrorCode.CorruptMessage);
        yield return new("too large", With(Record(0, value: new byte[1_100_000])), ErrorCode.MessageTooLarge);

        yield return new("control", With(good, attributes: 32), ErrorCode.InvalidRecord);
        yield return new("transactional", With(good, attributes: 16), ErrorCode.TransactionalIdAuthorizationFailed);
        yield return new("transactional, of a producer", With(good, attributes: 16, producerId: 1, epoch: 0, sequence: 0), ErrorCode.TransactionalIdAuthorizationFailed);
        yield return new("control, transactional", With(good, attributes: 48), ErrorCode.TransactionalIdAuthorizationFailed);
        yield return new("a log's own timestamp", With(good, attributes: 8), ErrorCode.None);
        yield return new("attributes nobody has defined", With(good, attributes: 0x4000), ErrorCode.None);
        yield return new("a producer without sequence", With(good, producerId: 5, epoch: 0), ErrorCode.InvalidRecord);

        yield return new("a timestamp in microseconds", With(good, timestamp: now * 1000), ErrorCode.InvalidTimestamp);
        yield return new("a timestamp two hours ahead", With(good, timestamp: now + 7_200_000), ErrorCode.InvalidTimestamp);
        yield return new("a timestamp 50 minutes ahead", With(good, timestamp: now + 3_000_000), ErrorCode.None);
        yield return new("a timestamp beyond all numbers", With(Record(0, timestampDelta: long.MaxValue)), ErrorCode.InvalidTimestamp);
        foreach (var timestamp in new[] { 0, -1, -2, -1_000_000_000_000_000 })
            yield return new($"a timestamp of {timestamp}", With(good, timestamp: timestamp), ErrorCode.None);
        yield return new("a latest timestamp that is not the latest", With(good, max: now + 1000 * Day), ErrorCode.None);

        yield return new("a record longer than told", With(Record(0, lengthError: -1)), ErrorCode.InvalidRecord);
        yield return new("a record shorter than told", With(Record(0, lengthError: 1)), ErrorCode.InvalidRecord);
        yield return new("a record of negative length", With(Record(0, lengthError: -100)), ErrorCode.InvalidRecord);
        yield return new("bytes behind a record's headers", With(Record(0, headers: [0, 7, 7])), ErrorCode.InvalidRecord);
        yield return new("a negative count of headers", With(Record(0, headers: Varint(-1))), ErrorCode.InvalidRecord);
        yield return new("a header without name", With(Record(0, headers: [.. Varint(1), .. Varint(-1), 0])), ErrorCode.InvalidRecord);
        yield return new("a header whose name is longer than the record", With(Record(0, headers: [.. Varint(1), .. Varint(1000), 65])), ErrorCode.InvalidRecord);
        yield return new("a header without value", With(Record(0, headers: [.. Varint(1), .. Varint(1), 65, .. Varint(-1)])), ErrorCode.None);
        yield return new("a header whose name is no UTF-8", With(Record(0, headers: [.. Varint(1), .. Varint(2), 0xff, 0xfe, 0])), ErrorCode.None);
        yield return new("a key longer than the record", With([.. Varint(8), 0, 0, 0, .. Varint(100), 2, 1, 0, 0]), ErrorCode.InvalidRecord);
        yield return new("a value longer than the record", With([.. Varint(8), 0, 0, 0, 2, 1, .. Varint(3), 1, 0, 0, 0, 0, 0]), ErrorCode.InvalidRecord);
        yield return new("an offset beyond all numbers", With(Record(1L << 40)), ErrorCode.InvalidRecord);
        yield return new("no key", With(Record(0, hasKey: false)), ErrorCode.None);
    }

    /// <summary>Keys that are missing where compaction needs them, alone and beside other faults.</summary>
    public static IEnumerable<HostileBatch> ForCompactedTopics(long now)
    {
        byte[] With(byte[] records, int count = 1, int codec = 0) => Batch(Compress(codec, records), count, codec, count - 1, now, now, -1, -1, -1, null);

        for (var codec = 0; codec <= 4; codec++)
        {
            yield return new($"codec {codec}: a key", With(Record(0), 1, codec), ErrorCode.None);
            yield return new($"codec {codec}: no key", With(Record(0, hasKey: false), 1, codec), ErrorCode.InvalidRecord);
        }
        yield return new("a key, then none", With([.. Record(0), .. Record(1, hasKey: false)], 2), ErrorCode.InvalidRecord);
        yield return new("no key, and far ahead", With(Record(0, timestampDelta: Day, hasKey: false)), ErrorCode.InvalidRecord);
        yield return new("far ahead, then no key", With([.. Record(0, timestampDelta: Day), .. Record(1, hasKey: false)], 2), ErrorCode.InvalidTimestamp);
        yield return new("far ahead, then no record", With([.. Record(0, timestampDelta: Day), 0], 2), ErrorCode.InvalidRecord);
    }

    /// <summary>Good batches of every codec with every bit flipped in turn, and cut at every length; the checksum is right.</summary>
    public static IEnumerable<HostileBatch> Damaged(long now)
    {
        byte[] records = [.. Record(0), .. Record(1, timestampDelta: 5, headers: [.. Varint(1), .. Varint(1), 65, .. Varint(1), 66]), .. Record(2, hasKey: false)];
        for (var codec = 0; codec <= 4; codec++)
        {
            var packed = Compress(codec, records);
            var good = Batch(packed, 3, codec, 2, now, now + 5, -1, -1, -1, null);
            for (var position = 0; position < good.Length; position++)
            {
                if (position is >= 17 and < 21 or >= 43 and < 57) // the checksum; producers' sequences have rules of their own
                    continue;
                for (var bit = 0; bit < 8; bit++)
                {
                    var bytes = (byte[])good.Clone();
                    bytes[position] ^= (byte)(1 << bit);
                    Sign(bytes);
                    var where = codec > 0 && position >= RecordBatch.HeaderSize ? "in compressed records, " : "";
                    yield return new($"{where}codec {codec}, byte {position}, bit {bit}", bytes, ErrorCode.None);
                }
            }
            for (var length = 0; length < packed.Length; length++)
                yield return new($"in records, codec {codec}, cut to {length} bytes", Batch(packed[..length], 3, codec, 2, now, now + 5, -1, -1, -1, null), ErrorCode.None);
        }
    }

    private static byte[] Batch(byte[] records, int count, int attributes, int last, long timestamp, long max, long producerId, short epoch, int sequence, Action<byte[]>? then)
    {
        byte[] batch = [.. new byte[RecordBatch.HeaderSize], .. records];
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), batch.Length - RecordBatch.LengthOverhead);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(12), -1);
        batch[16] = 2;
        BinaryPrimitives.WriteInt16BigEndian(batch.AsSpan(21), (short)attributes);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(23), last);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(27), timestamp);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(35), max);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(43), producerId);
        BinaryPrimitives.WriteInt16BigEndian(batch.AsSpan(51), epoch);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(53), sequence);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(57), count);
        Sign(batch);
        then?.Invoke(batch);
        return batch;
    }

    private static void Sign(byte[] batch) => BinaryPrimitives.WriteUInt32BigEndian(batch.AsSpan(17), RecordBatch.Crc32C(batch.AsSpan(21)));

    private static byte[] Record(long offsetDelta, long timestampDelta = 0, bool hasKey = true, byte[]? value = null, byte[]? headers = null, int lengthError = 0)
    {
        byte[] key = hasKey ? [.. Varint(1), (byte)'k'] : Varint(-1);
        byte[] body = [0, .. Varint(timestampDelta), .. Varint(offsetDelta), .. key, .. Varint(value?.Length ?? 1), .. value ?? [(byte)'v'], .. headers ?? [0]];
        return [.. Varint(body.Length + lengthError), .. body];
    }

    private static byte[] Varint(long value)
    {
        using var writer = new ResponseWriter();
        Batches.Varint(writer, value);
        return writer.Written.ToArray();
    }

    private static byte[] Noise(int size)
    {
        var noise = new byte[size];
        new Random(size).NextBytes(noise);
        return noise;
    }

    private static byte[] Compress(int codec, byte[] records, bool linked = false)
    {
        using var packed = new MemoryStream();
        switch (codec)
        {
            case 1:
                using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
                    gzip.Write(records);
                return packed.ToArray();
            case 2:
                return Snappier.Snappy.CompressToArray(records);
            case 3:
                using (var lz4 = LZ4Stream.Encode(packed, new LZ4EncoderSettings { ChainBlocks = linked }, leaveOpen: true))
                    lz4.Write(records);
                return packed.ToArray();
            case 4:
                using (var zstd = new CompressionStream(packed, leaveOpen: true))
                    zstd.Write(records);
                return packed.ToArray();
            default:
                return records;
        }
    }
}
