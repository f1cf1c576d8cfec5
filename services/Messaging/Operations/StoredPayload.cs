using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Shop.Contracts;

namespace Shop.Messaging.Operations;

/// <summary>An event's stored data, as operators are shown it: JSON, or text where it is none.</summary>
internal static partial class StoredPayload
{
    public static JsonElement Read(byte[] body)
    {
        body = EventPrivacy.ToKeep(body);
        try
        {
            return JsonDocument.Parse(body).RootElement;
        }
        catch (JsonException)
        {
            return JsonSerializer.SerializeToElement(Encoding.UTF8.GetString(body), Text.Default.String);
        }
    }

    [JsonSerializable(typeof(string))]
    private sealed partial class Text : JsonSerializerContext;
}
