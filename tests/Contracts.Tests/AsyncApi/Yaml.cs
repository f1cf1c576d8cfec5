using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Shop.Contracts.Tests.AsyncApi;

/// <summary>Writes JSON as YAML 1.2 in block style. Strings are quoted as in JSON, which YAML reads, unless they are plain words.</summary>
internal static partial class Yaml
{
    private static readonly JsonSerializerOptions Quoted = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write(JsonObject root)
    {
        var yaml = new StringBuilder();
        WriteMembers(yaml, root, 0);
        return yaml.ToString();
    }

    private static void WriteMembers(StringBuilder yaml, JsonObject node, int indent)
    {
        foreach (var (name, value) in node)
        {
            yaml.Append(' ', indent).Append(Scalar(name)).Append(':');
            WriteValue(yaml, value, indent + 2);
        }
    }

    private static void WriteValue(StringBuilder yaml, JsonNode? value, int indent)
    {
        switch (value)
        {
            case JsonObject { Count: > 0 } members:
                yaml.Append('\n');
                WriteMembers(yaml, members, indent);
                break;
            case JsonArray { Count: > 0 } items:
                yaml.Append('\n');
                foreach (var item in items)
                    WriteItem(yaml, item, indent);
                break;
            case JsonValue text when text.GetValueKind() == JsonValueKind.String:
                yaml.Append(' ').Append(Scalar(text.GetValue<string>())).Append('\n');
                break;
            default:
                yaml.Append(' ').Append(value?.ToJsonString() ?? "null").Append('\n');
                break;
        }
    }

    private static void WriteItem(StringBuilder yaml, JsonNode? item, int indent)
    {
        var start = yaml.Length;
        if (item is JsonObject { Count: > 0 } members)
        {
            WriteMembers(yaml, members, indent + 2);
            // the first member stands behind the dash
            yaml[start + indent] = '-';
            return;
        }
        yaml.Append(' ', indent).Append('-');
        WriteValue(yaml, item, indent + 2);
    }

    private static string Scalar(string text) => PlainWord().IsMatch(text) ? text : JsonSerializer.Serialize(text, Quoted);

    /// <summary>What YAML cannot take for anything but a string; "null", "true" and the like are not among an event's names, but are quoted to be safe.</summary>
    [GeneratedRegex(@"\A(?!(?:null|true|false|yes|no|on|off|y|n)\z)[A-Za-z_][A-Za-z0-9_]*(?:[.\-/][A-Za-z0-9_]+)*\z", RegexOptions.IgnoreCase)]
    private static partial Regex PlainWord();
}
