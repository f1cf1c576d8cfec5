using System.Text.Json;
using System.Text.Json.Serialization;

namespace Shop.ServiceDefaults;

/// <summary>JSON that is passed on as it was stored, without being read.</summary>
/// <param name="Text">JSON, validated before it was stored.</param>
[JsonConverter(typeof(Converter))]
public sealed record RawJson(string Text)
{
    /// <summary>Writes the text as it is.</summary>
    public sealed class Converter : JsonConverter<RawJson>
    {
        /// <inheritdoc/>
        /// <exception cref="NotSupportedException">Always.</exception>
        public override RawJson Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("Stored JSON is only written");

        /// <inheritdoc/>
        // it was validated before it was stored
        public override void Write(Utf8JsonWriter writer, RawJson value, JsonSerializerOptions options) =>
            writer.WriteRawValue(value.Text, skipInputValidation: true);
    }
}
