using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Shop.Contracts;
using Shop.Messaging.Consuming;

namespace Shop.Activity.StoringEvents;

/// <summary>An event as it is kept: what the record said, and where it lay in its topic.</summary>
/// <param name="EventId">The event's id.</param>
/// <param name="Type">Its CloudEvents type, known to the shop or not.</param>
/// <param name="Topic">The topic it was read from.</param>
/// <param name="Partition">The topic's partition.</param>
/// <param name="Offset">The partition's offset.</param>
/// <param name="Key">The id of the aggregate it is about.</param>
/// <param name="Source">The service that published it.</param>
/// <param name="Subject">CloudEvents' subject; the shop's services repeat the key.</param>
/// <param name="At">When it happened.</param>
/// <param name="CausationId">The event that caused it, where there is one.</param>
/// <param name="TraceParent">The W3C trace it belongs to, where there is one.</param>
/// <param name="Data">JSON; null where the record is a tombstone.</param>
/// <param name="Malformed">The record's value was no JSON: <paramref name="Data"/> is its text as a JSON string.</param>
internal sealed record StoredEvent(Guid EventId, string Type, string Topic, int Partition, long Offset, string Key, string Source,
    string Subject, DateTimeOffset At, Guid? CausationId, string? TraceParent, string? Data, bool Malformed)
{
    /// <summary>Longer keys are kept, and not looked for.</summary>
    public const int LongestSearchedKey = 100;

    /// <summary>Given by the database in the order of writing.</summary>
    public long Position { get; private init; }

    /// <summary>The trace of <see cref="TraceParent"/>; found by the database.</summary>
    public string? TraceId { get; private init; }

    /// <summary>Takes a record as it is: nothing in it may keep the records behind it from being stored.</summary>
    /// <exception cref="FormatException">The record is no CloudEvent.</exception>
    public static StoredEvent From(ConsumedRecord record)
    {
        var attributes = record.Event;
        var (data, malformed) = DataOf(record.Body);
        return new(
            attributes.Id, attributes.Type, record.Topic, record.Partition, record.Offset, record.Key, attributes.Source,
            attributes.Subject, attributes.Time == DateTimeOffset.UnixEpoch ? record.Timestamp : attributes.Time,
            attributes.CausationId, attributes.TraceParent, data, malformed);
    }

    /// <summary>The value as JSON that PostgreSQL takes, and whether it had to be made into a JSON string first.</summary>
    public static (string? Data, bool Malformed) DataOf(byte[]? body)
    {
        if (body is null)
            return (null, false);
        var kept = EventPrivacy.ToKeep(body);
        return IsJson(kept) ? (Encoding.UTF8.GetString(kept), false) : (AsJsonString(kept), true);
    }

    /// <summary>The same, and what it says; nothing where it is no JSON.</summary>
    public static (string? Data, JsonDocument? Content) ContentOf(byte[]? body)
    {
        if (body is null)
            return (null, null);
        var kept = EventPrivacy.ToKeep(body);
        try
        {
            // texts are only looked at when they are asked for
            return Utf8.IsValid(kept) ? (Encoding.UTF8.GetString(kept), JsonDocument.Parse(kept)) : (AsJsonString(kept), null);
        }
        catch (JsonException)
        {
            return (AsJsonString(kept), null);
        }
    }

    private static string AsJsonString(byte[] text) => JsonSerializer.Serialize(Encoding.UTF8.GetString(text));

    /// <summary>Reads to the end: stricter than PostgreSQL in depth (64 levels), equal in syntax.</summary>
    private static bool IsJson(ReadOnlySpan<byte> value)
    {
        if (!Utf8.IsValid(value))
            return false;
        var reader = new Utf8JsonReader(value);
        try
        {
            while (reader.Read())
            {
            }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
