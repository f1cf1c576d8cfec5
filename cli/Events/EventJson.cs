using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Shop.Cli.Events;

/// <summary>Writes records for programs: one JSON object a line.</summary>
internal sealed class EventJson(TextWriter output) : IEventWriter
{
    private readonly ArrayBufferWriter<byte> _line = new();
    // what only HTML has to fear stays legible; control characters are escaped all the same
    private readonly JsonWriterOptions _options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <inheritdoc/>
    public void Write(EventRecord record)
    {
        _line.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_line, _options))
        {
            json.WriteStartObject();
            json.WriteString("topic", record.Topic);
            json.WriteNumber("partition", record.Partition);
            json.WriteNumber("offset", record.Offset);
            WriteText(json, "timestamp", record.Timestamp?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'"));
            var key = EventRecord.TextOf(record.Key);
            WriteText(json, "key", key);
            if (key is null && record.Key is not null)
                json.WriteBase64String("keyBase64", record.Key);
            WriteText(json, "id", record.Id);
            WriteText(json, "type", record.Type);
            WriteText(json, "source", record.Source);
            WriteText(json, "time", record.Time);
            WriteText(json, "subject", record.Subject);
            WriteText(json, "causationId", record.CausationId);
            WriteText(json, "traceParent", record.TraceParent);
            json.WritePropertyName("data");
            if (record.Data is { } data)
                data.WriteTo(json);
            else
                json.WriteNullValue();
            if (record.Data is null && record.Body is not null)
                json.WriteBase64String("dataBase64", record.Body);
            if (record.Problem is { } problem)
                json.WriteString("problem", problem);
            json.WriteEndObject();
        }
        output.Write(Encoding.UTF8.GetString(_line.WrittenSpan));
        output.Write('\n');
    }

    /// <inheritdoc/>
    public void Flush() => output.Flush();

    private static void WriteText(Utf8JsonWriter json, string name, string? text)
    {
        if (text is null)
            json.WriteNull(name);
        else
            json.WriteString(name, text);
    }
}
