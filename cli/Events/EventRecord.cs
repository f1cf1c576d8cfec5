using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;

namespace Shop.Cli.Events;

/// <summary>A record of a topic as it was found there: an event, or whatever else somebody has written.</summary>
/// <param name="Topic">Where it is.</param>
/// <param name="Partition">Where it is.</param>
/// <param name="Offset">Where it is.</param>
internal sealed record EventRecord(string Topic, int Partition, long Offset)
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The record's own time; null where it has none that a calendar knows.</summary>
    public DateTimeOffset? Timestamp { get; private init; }

    /// <summary>Its key.</summary>
    public byte[]? Key { get; private init; }

    /// <summary>Its value.</summary>
    public byte[]? Body { get; private init; }

    /// <summary><c>ce_id</c>.</summary>
    public string? Id { get; private init; }

    /// <summary><c>ce_type</c>.</summary>
    public string? Type { get; private init; }

    /// <summary><c>ce_source</c>.</summary>
    public string? Source { get; private init; }

    /// <summary><c>ce_time</c>, as it was written.</summary>
    public string? Time { get; private init; }

    /// <summary><c>ce_subject</c>.</summary>
    public string? Subject { get; private init; }

    /// <summary><c>ce_causationid</c>.</summary>
    public string? CausationId { get; private init; }

    /// <summary><c>traceparent</c>.</summary>
    public string? TraceParent { get; private init; }

    /// <summary>The body; null where there is none, or where it is not JSON.</summary>
    public JsonElement? Data { get; private init; }

    /// <summary>Why this is no event of the shop; null where it is one.</summary>
    public string? Problem { get; private init; }

    /// <summary>When it happened, by the event's own word or else by the record's.</summary>
    public DateTimeOffset? HappenedAt { get; private init; }

    /// <summary>Reads a record, whatever it is.</summary>
    public static EventRecord From(ConsumeResult<byte[]?, byte[]?> result)
    {
        var message = result.Message;
        var timestamp = TimeOf(message.Timestamp);
        var time = Header("ce_time");
        var hasTime = DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var happenedAt);
        var data = Parse(message.Value);
        var record = new EventRecord(result.Topic, result.Partition.Value, result.Offset.Value)
        {
            Timestamp = timestamp,
            HappenedAt = hasTime ? happenedAt : timestamp,
            Key = message.Key,
            Body = message.Value,
            Id = Header("ce_id"),
            Type = Header("ce_type"),
            Source = Header("ce_source"),
            Time = time,
            Subject = Header("ce_subject"),
            CausationId = Header("ce_causationid"),
            TraceParent = Header("traceparent"),
            Data = data,
        };
        return record with
        {
            Problem = record switch
            {
                { Id: null } => "no ce_id header",
                { Type: null } => "no ce_type header",
                { Source: null } => "no ce_source header",
                { Time: not null } when !hasTime => "ce_time is no time",
                { Body: not null, Data: null } => "the body is not JSON",
                _ => null,
            },
        };

        string? Header(string name) => message.Headers is { } headers && headers.TryGetLastBytes(name, out var value) && value is not null ? Encoding.UTF8.GetString(value) : null;
    }

    /// <summary>The text that <paramref name="bytes"/> are; null where they are none.</summary>
    public static string? TextOf(byte[]? bytes)
    {
        try
        {
            return bytes is null ? null : StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static DateTimeOffset? TimeOf(Timestamp timestamp)
    {
        try
        {
            return timestamp.Type == TimestampType.NotAvailable ? null : DateTimeOffset.FromUnixTimeMilliseconds(timestamp.UnixTimestampMs);
        }
        catch (ArgumentOutOfRangeException)
        {
            return null;
        }
    }

    private static JsonElement? Parse(byte[]? body)
    {
        if (body is null)
            return null;
        try
        {
            var data = JsonElement.Parse(body);
            // a string may be well-formed JSON and yet no text, which only shows when it is written
            using var writer = new Utf8JsonWriter(new ArrayBufferWriter<byte>(body.Length + 1));
            data.WriteTo(writer);
            return data;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
