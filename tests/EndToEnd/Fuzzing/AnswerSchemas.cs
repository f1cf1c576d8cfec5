using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Shop.EndToEnd.Fuzzing;

/// <summary>
/// What an OpenAPI document says of answers' bodies. Stricter than JSON Schema (draft 2020-12) in two things, so that nothing is passed over: a member that is not
/// described is a deviation, and a keyword that is not known here an exception.
/// </summary>
/// <param name="document">The document, version 3.1.</param>
public sealed class AnswerSchemas(JsonObject document)
{
    private const string Problem = "application/problem+json";

    /// <summary>They say something to people, or of requests.</summary>
    private static readonly HashSet<string> WithoutMeaning = ["description", "title", "example", "examples", "default", "deprecated", "readOnly", "writeOnly", "x-enum-varnames"];

    /// <summary>Where the body is not what the document says of the operation's answers with this status, and how; null where it is.</summary>
    /// <param name="path">The operation's, as the document has it.</param>
    /// <param name="method">The operation's.</param>
    /// <param name="status">The answer's, which the document has.</param>
    /// <param name="mediaType">The answer's; null where it has none.</param>
    /// <param name="body">The answer's; empty where it has none.</param>
    /// <exception cref="NotSupportedException">The document has a keyword that is not known here.</exception>
    public string? Check(string path, string method, int status, string? mediaType, string body)
    {
        var answer = document["paths"]![path]![method.ToLowerInvariant()]!["responses"]![status.ToString(CultureInfo.InvariantCulture)]!;
        if (answer["content"] is not JsonObject { Count: > 0 } contents)
            return body.Length == 0 ? null : $"a body, where none is described: {mediaType}";
        if (mediaType is null || contents[mediaType] is not { } content)
            return $"{mediaType ?? "no body"}, where {string.Join(" or ", contents.Select(described => described.Key))} is described";
        if (!mediaType.EndsWith("json", StringComparison.Ordinal))
            return null;
        if (content["schema"] is not JsonObject schema)
            return "JSON, without a schema";
        JsonDocument json;
        try
        {
            json = JsonDocument.Parse(body);
        }
        catch (JsonException e)
        {
            return $"no JSON: {e.Message}";
        }
        using (json)
        {
            // a problem has members beyond those that all problems have (RFC 9457, section 3.2)
            return Deviation(schema, json.RootElement, "$", openEnded: mediaType == Problem);
        }
    }

    private string? Deviation(JsonObject schema, JsonElement value, string at, bool openEnded)
    {
        foreach (var (keyword, said) in schema)
        {
            if (WithoutMeaning.Contains(keyword))
                continue;
            var deviation = keyword switch
            {
                "$ref" => Deviation(Referred(said!.GetValue<string>()), value, at, openEnded),
                "type" => IsOfType(said!, value) ? null : $"{at} is {Shown(value)}, not {said!.ToJsonString()}",
                "enum" => said!.AsArray().Any(one => JsonNode.DeepEquals(one, JsonNode.Parse(value.GetRawText()))) ? null : $"{at} is {Shown(value)}, not one of {said.ToJsonString()}",
                "format" => IsOfFormat(said!.GetValue<string>(), value) ? null : $"{at} is {Shown(value)}, not of the format {said}",
                "pattern" => value.ValueKind != JsonValueKind.String || Regex.IsMatch(value.GetString()!, said!.GetValue<string>(), RegexOptions.ECMAScript) ? null : $"{at} is {Shown(value)}, which does not match {said}",
                "minimum" => value.ValueKind != JsonValueKind.Number || value.GetDouble() >= said!.GetValue<double>() ? null : $"{at} is {Shown(value)}, below {said}",
                "maximum" => value.ValueKind != JsonValueKind.Number || value.GetDouble() <= said!.GetValue<double>() ? null : $"{at} is {Shown(value)}, above {said}",
                "minLength" => value.ValueKind != JsonValueKind.String || value.GetString()!.EnumerateRunes().Count() >= said!.GetValue<int>() ? null : $"{at} is {Shown(value)}, shorter than {said}",
                "maxLength" => value.ValueKind != JsonValueKind.String || value.GetString()!.EnumerateRunes().Count() <= said!.GetValue<int>() ? null : $"{at} is {Shown(value)}, longer than {said}",
                "required" => value.ValueKind != JsonValueKind.Object || said!.AsArray().FirstOrDefault(name => !value.TryGetProperty(name!.GetValue<string>(), out _)) is not { } missing ? null : $"{at} has no {missing}",
                "properties" => OfMembers(schema, value, at, openEnded),
                "additionalProperties" => schema["properties"] is null ? OfMembers(schema, value, at, openEnded) : null,
                "items" => OfItems(said!.AsObject(), value, at, openEnded),
                "oneOf" or "anyOf" => OfChoices(said!.AsArray(), value, at, openEnded),
                _ => throw new NotSupportedException($"'{keyword}' in a schema at {at}"),
            };
            if (deviation is not null)
                return deviation;
        }
        return null;
    }

    private string? OfMembers(JsonObject schema, JsonElement value, string at, bool openEnded)
    {
        if (value.ValueKind != JsonValueKind.Object)
            return null;
        foreach (var member in value.EnumerateObject())
        {
            var place = $"{at}.{member.Name}";
            var described = schema["properties"]?[member.Name] ?? schema["additionalProperties"];
            var deviation = described switch
            {
                JsonObject its => Deviation(its, member.Value, place, openEnded),
                null when !openEnded => $"{place} is not described",
                JsonValue allowed when !allowed.GetValue<bool>() => $"{place} is not allowed",
                _ => null,
            };
            if (deviation is not null)
                return deviation;
        }
        return null;
    }

    private string? OfItems(JsonObject schema, JsonElement value, string at, bool openEnded) => value.ValueKind != JsonValueKind.Array ? null
        : value.EnumerateArray().Select((item, index) => Deviation(schema, item, $"{at}[{index}]", openEnded)).FirstOrDefault(deviation => deviation is not null);

    private string? OfChoices(JsonArray choices, JsonElement value, string at, bool openEnded)
    {
        List<string?> deviations = [.. choices.Select(choice => Deviation(choice!.AsObject(), value, at, openEnded))];
        return deviations.Contains(null) ? null : string.Join(", and ", deviations);
    }

    private JsonObject Referred(string reference)
    {
        JsonNode? node = document;
        foreach (var part in reference.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries))
            node = node is JsonArray array ? array[int.Parse(part, CultureInfo.InvariantCulture)] : node?[Uri.UnescapeDataString(part).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)];
        return node as JsonObject ?? throw new NotSupportedException($"{reference} leads nowhere");
    }

    private static bool IsOfType(JsonNode types, JsonElement value) => types is JsonArray several
        ? several.Any(type => IsOfType(type!, value))
        : (types.GetValue<string>(), value.ValueKind) switch
        {
            ("object", JsonValueKind.Object) or ("array", JsonValueKind.Array) or ("string", JsonValueKind.String) or ("number", JsonValueKind.Number)
                or ("boolean", JsonValueKind.True or JsonValueKind.False) or ("null", JsonValueKind.Null) => true,
            ("integer", JsonValueKind.Number) => value.TryGetDecimal(out var number) && decimal.IsInteger(number),
            _ => false,
        };

    /// <summary>Of what is no text or number a format says nothing.</summary>
    private static bool IsOfFormat(string format, JsonElement value) => (format, value.ValueKind) switch
    {
        ("uuid", JsonValueKind.String) => value.TryGetGuid(out _),
        ("date-time", JsonValueKind.String) => value.TryGetDateTimeOffset(out _) && value.GetString()!.Length > "2026-01-01".Length,
        ("uri", JsonValueKind.String) => Uri.TryCreate(value.GetString(), UriKind.RelativeOrAbsolute, out _),
        ("int32", JsonValueKind.Number) => value.TryGetDecimal(out var number) && number is >= int.MinValue and <= int.MaxValue,
        ("int64", JsonValueKind.Number) => value.TryGetDecimal(out var number) && number is >= long.MinValue and <= long.MaxValue,
        ("double", JsonValueKind.Number) => true,
        ("uuid" or "date-time" or "uri" or "int32" or "int64" or "double", _) => true,
        _ => throw new NotSupportedException($"the format '{format}'"),
    };

    private static string Shown(JsonElement value) => value.GetRawText() is { Length: > 60 } text ? text[..60] + "..." : value.GetRawText();
}
