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

    internal ConsumedRecord(string topic, int partition, long offset, string key, DateTimeOffset timestamp, Headers? headers, byte[]? body, int? leaderEpoch = null)
    {
        Topic = topic;
        Partition = partition;
        Offset = offset;
        Key = key;
        Timestamp = timestamp;
        Headers = headers ?? NoHeaders;
        Body = body;
        LeaderEpoch = leaderEpoch;
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

    /// <summary>Counts the leaders of the partition; a log may have lost its end only where it changes. Null where the broker does not tell.</summary>
    internal int? LeaderEpoch { get; }

    /// <summary>Which record this is, 32 bytes: by what its producer wrote, since an offset is the same in another log.</summary>
    internal byte[] Digest()
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
        return hash.GetHashAndReset();

        void Append(byte[]? bytes)
        {
            hash.AppendData(BitConverter.GetBytes(bytes?.Length ?? -1));
            hash.AppendData(bytes ?? []);
        }
    }

    internal static ConsumedRecord From(ConsumeResult<byte[]?, byte[]?> result) => new(
        result.Topic, result.Partition.Value, result.Offset.Value,
        StorableText.Of(result.Message.Key), TimeOf(result.Message.Timestamp.UnixTimestampMs), result.Message.Headers, result.Message.Value, result.LeaderEpoch);

    /// <summary>A timestamp is a number that its producer chose: beyond the years 1 to 9999 (it may have counted microseconds) it is the nearest of them.</summary>
    private static DateTimeOffset TimeOf(long unixMilliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(unixMilliseconds, Earliest, Latest));
}
