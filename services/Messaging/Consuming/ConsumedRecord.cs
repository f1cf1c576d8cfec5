using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Confluent.Kafka;
using Shop.Messaging.Events;

namespace Shop.Messaging.Consuming;

/// <summary>A record as it was read from Kafka.</summary>
public sealed class ConsumedRecord
{
    /// <summary>A day inside of what .NET can say: its very first and last moments are infinities to Npgsql.</summary>
    private static readonly long Earliest = DateTimeOffset.MinValue.AddDays(1).ToUnixTimeMilliseconds(), Latest = DateTimeOffset.MaxValue.AddDays(-1).ToUnixTimeMilliseconds();

    private static readonly Headers NoHeaders = [];
    private CloudEvent? _event;
    private byte[]? _fingerprint;
    private int _bytes;

    internal ConsumedRecord(string topic, int partition, long offset, string key, DateTimeOffset timestamp, Headers? headers, byte[]? body)
    {
        Topic = topic;
        Partition = partition;
        Offset = offset;
        Key = key;
        Timestamp = timestamp;
        Headers = headers ?? NoHeaders;
        Body = body;
    }

    /// <summary>The topic it was read from.</summary>
    public string Topic { get; }

    /// <summary>The partition it was read from.</summary>
    public int Partition { get; }

    /// <summary>Its offset in the partition.</summary>
    public long Offset { get; }

    /// <summary>Its key: the id of the aggregate the event is about; empty where it has none.</summary>
    public string Key { get; }

    /// <summary>When it was written, by the producer's clock.</summary>
    public DateTimeOffset Timestamp { get; }

    /// <summary>Its value: JSON; null where the record is a tombstone.</summary>
    public byte[]? Body { get; }

    /// <summary>Its attributes.</summary>
    /// <exception cref="FormatException">A required attribute is missing or malformed.</exception>
    public CloudEvent Event => _event ??= CloudEvent.Parse(Headers, Key);

    internal Headers Headers { get; }

    /// <summary>What it takes of memory, about.</summary>
    internal int Bytes => _bytes > 0 ? _bytes : _bytes = CountBytes();

    /// <summary>Why this is no record but stands for some that cannot be read; null for all others.</summary>
    internal UnreadableRecordsException? Unreadable { get; private init; }

    /// <summary>The trace it was sent in (W3C Trace Context), whether or not the other attributes can be read.</summary>
    internal string? TraceParent => Headers.TryGetLastBytes("traceparent", out var value) ? StorableText.Of(value) : null;

    /// <summary>
    /// Which record this is, in few bytes: its offset, and a digest of what its producer wrote. Where that could not be read it is the offset alone, which
    /// no record has: one that can be read there later is of another log.
    /// </summary>
    internal byte[] Fingerprint()
    {
        if (_fingerprint is not null)
            return _fingerprint;
        var fingerprint = new byte[sizeof(long) + (Unreadable is null ? SHA256.HashSizeInBytes : 0)];
        BinaryPrimitives.WriteInt64BigEndian(fingerprint, Offset);
        if (Unreadable is null)
            Digest(fingerprint.AsSpan(sizeof(long)));
        return _fingerprint = fingerprint;
    }

    /// <summary>The offset of the record that a fingerprint is of.</summary>
    internal static long OffsetOf(ReadOnlySpan<byte> fingerprint) => BinaryPrimitives.ReadInt64BigEndian(fingerprint);

    /// <summary>Stands for what cannot be read, from <paramref name="first"/> to before <paramref name="next"/>: of a key of its own, so that it parks nothing else.</summary>
    internal static ConsumedRecord InPlaceOf(TopicPartition partition, long first, long next, DateTimeOffset now) =>
        new(partition.Topic, partition.Partition.Value, next - 1, KeyInPlaceOf(partition.Topic, partition.Partition.Value) + first, now, null, null)
        {
            Unreadable = new(partition.Topic, partition.Partition.Value, first, next - 1),
        };

    /// <summary>
    /// A record as a dead letter or a parked record keeps it. One that stands for what cannot be read is known by its key: a record that says
    /// nothing at all, under such a key, has nothing to lose by being taken for one.
    /// </summary>
    internal static ConsumedRecord Kept(string topic, int partition, long offset, string key, Headers headers, byte[]? body)
    {
        var prefix = KeyInPlaceOf(topic, partition);
        var isInPlace = body is null && headers.Count == 0 && key.StartsWith(prefix, StringComparison.Ordinal);
        return new(topic, partition, offset, key, DateTimeOffset.UnixEpoch, headers, body)
        {
            Unreadable = isInPlace && long.TryParse(key.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var first) ? new(topic, partition, first, offset) : null,
        };
    }

    internal static ConsumedRecord From(ConsumeResult<byte[]?, byte[]?> result) => new(
        result.Topic, result.Partition.Value, result.Offset.Value,
        StorableText.Of(result.Message.Key), TimeOf(result.Message.Timestamp.UnixTimestampMs), result.Message.Headers, result.Message.Value);

    private void Digest(Span<byte> digest)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(BitConverter.GetBytes(Timestamp.ToUnixTimeMilliseconds()));
        Append(Encoding.UTF8.GetBytes(Key));
        foreach (var header in Headers)
        {
            Append(Encoding.UTF8.GetBytes(header.Key));
            Append(header.GetValueBytes());
        }
        Append(Body);
        hash.GetHashAndReset(digest);

        void Append(byte[]? bytes)
        {
            hash.AppendData(BitConverter.GetBytes(bytes?.Length ?? -1));
            hash.AppendData(bytes ?? []);
        }
    }

    /// <summary>What the key of a record that stands for others begins with; the first of their offsets is the rest.</summary>
    private static string KeyInPlaceOf(string topic, int partition) => $"{topic}[{partition}]@";

    private int CountBytes()
    {
        var bytes = Key.Length + (Body?.Length ?? 0);
        // asked for every record, so without an enumerator
        for (var i = 0; i < Headers.Count; i++)
            bytes += Headers[i].Key.Length + (Headers[i].GetValueBytes()?.Length ?? 0);
        return bytes;
    }

    /// <summary>A timestamp is a number that its producer chose: beyond the years 1 to 9999 (it may have counted microseconds) it is the nearest of them.</summary>
    private static DateTimeOffset TimeOf(long unixMilliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(unixMilliseconds, Earliest, Latest));
}
