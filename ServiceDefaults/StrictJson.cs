using System.Text.Json;
using System.Text.Json.Serialization;

namespace Shop.ServiceDefaults;

/// <summary>
/// How Shop reads and writes JSON over HTTP: camelCase, enums by name, and nothing guessed: a repeated member, a missing
/// or null one that the type requires, a number as text, and U+0000 or a card's number in a text are errors. Unknown members are ignored.
/// </summary>
public static class StrictJson
{
    /// <summary>Applies the rules to <paramref name="options"/>, which have not been used yet.</summary>
    public static void Configure(JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);

        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.AllowDuplicateProperties = false;
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        options.Converters.Add(new StorableStringConverter());
    }

    /// <summary>PostgreSQL's text cannot hold U+0000, and nothing may hold a card's number: refused here, with the path, before anything sees it.</summary>
    private sealed class StorableStringConverter : JsonConverter<string>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String
                ? Checked(reader.GetString()!)
                : throw new JsonException("Must be a text.");

        public override string ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            Checked(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value);

        public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
            writer.WritePropertyName(value);

        private static string Checked(string text) =>
            text.Contains('\0', StringComparison.Ordinal) ? throw new JsonException("Must not contain the character U+0000.")
            : CardNumbers.IsIn(text) ? throw new JsonException(CardNumbers.Refusal)
            : text;
    }
}
