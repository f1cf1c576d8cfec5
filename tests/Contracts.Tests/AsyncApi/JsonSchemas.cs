using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Shop.Contracts.Tests.AsyncApi;

/// <summary>
/// JSON schemas of what <see cref="ContractsJson"/> writes. Records become components, so that one that is used by several events is there once;
/// System.Text.Json's own exporter would repeat it, with references that hold within one schema only.
/// </summary>
internal sealed class JsonSchemas(XmlDocs docs)
{
    /// <summary>The records met so far, by name.</summary>
    public SortedDictionary<string, JsonNode?> Components { get; } = new(StringComparer.Ordinal);

    public JsonObject Of(Type type)
    {
        if (ScalarOf(type) is { } scalar)
            return scalar;
        var json = ContractsJson.Default.GetTypeInfo(type) ?? throw new InvalidOperationException($"{type} is not part of ContractsJson");
        if (json.Kind == JsonTypeInfoKind.Enumerable)
            return new() { ["type"] = "array", ["items"] = Of(json.ElementType!) };
        if (json.Kind == JsonTypeInfoKind.Dictionary)
            return new() { ["type"] = "object", ["additionalProperties"] = Of(json.ElementType!) };
        if (json.Kind != JsonTypeInfoKind.Object)
            throw new NotSupportedException($"No schema is known for {type}");
        if (Components.TryAdd(type.Name, null))
            Components[type.Name] = OfRecord(json);
        return new() { ["$ref"] = $"#/components/schemas/{type.Name}" };
    }

    private JsonObject OfRecord(JsonTypeInfo json)
    {
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (var property in json.Properties)
        {
            var schema = Of(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType);
            if (property.IsGetNullable)
                schema = new() { ["oneOf"] = new JsonArray(schema, new JsonObject { ["type"] = "null" }) };
            else
                required.Add(property.Name);
            // a reference may not have neighbours in JSON schema draft 7; the record it refers to describes itself
            if (!schema.ContainsKey("$ref") && docs.OfParameter(json.Type, char.ToUpperInvariant(property.Name[0]) + property.Name[1..]) is { } description)
                schema["description"] = description;
            properties[property.Name] = schema;
        }
        var result = new JsonObject { ["type"] = "object" };
        if (docs.OfType(json.Type) is { } summary)
            result["description"] = summary;
        result["required"] = required;
        result["properties"] = properties;
        return result;
    }

    private static JsonObject? ScalarOf(Type type) => type switch
    {
        _ when type == typeof(string) => new() { ["type"] = "string" },
        _ when type == typeof(Guid) => new() { ["type"] = "string", ["format"] = "uuid" },
        _ when type == typeof(DateTimeOffset) => new() { ["type"] = "string", ["format"] = "date-time" },
        _ when type == typeof(bool) => new() { ["type"] = "boolean" },
        _ when type == typeof(int) || type == typeof(long) => new() { ["type"] = "integer" },
        _ when type == typeof(decimal) || type == typeof(double) => new() { ["type"] = "number" },
        _ => null,
    };
}
