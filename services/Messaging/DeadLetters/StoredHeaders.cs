using System.Text.Json;
using Confluent.Kafka;
using Shop.Messaging.Events;

namespace Shop.Messaging.DeadLetters;

/// <summary>Kafka headers as JSON: an array of names and base64 values, since headers repeat and are bytes.</summary>
internal static class StoredHeaders
{
    public static string Write(Headers headers)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartArray();
            foreach (var header in headers)
            {
                writer.WriteStartObject();
                writer.WriteString("name", StorableText.Of(header.Key));
                if (header.GetValueBytes() is { } value)
                    writer.WriteBase64String("value", value);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        }
        return System.Text.Encoding.UTF8.GetString(stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    public static Headers Read(string json)
    {
        var headers = new Headers();
        using var document = JsonDocument.Parse(json);
        foreach (var header in document.RootElement.EnumerateArray())
            headers.Add(header.GetProperty("name").GetString(), header.TryGetProperty("value", out var value) ? value.GetBytesFromBase64() : null);
        return headers;
    }
}
