using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Shop.EndToEnd.Fuzzing;

/// <summary>A request that was made up.</summary>
/// <param name="Number">With the seed it is all that the request depends on.</param>
/// <param name="Operation">What it began as.</param>
/// <param name="Strange">Whether method or path are no longer the operation's, or there is a body that it does not take.</param>
/// <param name="Text">For a person: the request in short.</param>
/// <param name="Message">To be sent once.</param>
public sealed record FuzzedRequest(int Number, ApiOperation Operation, bool Strange, string Text, HttpRequestMessage Message);

/// <summary>
/// Makes up requests from an OpenAPI document: mostly such as the document describes, so that they get far, with something wrong at one place or another.
/// Source: grammar-based fuzzing with mutations, as in The Fuzzing Book (Zeller et al.).
/// </summary>
/// <param name="document">The document.</param>
/// <param name="seed">Requests are the same for the same seed, document and known values.</param>
/// <param name="known">Values that exist in the shop, by the name of the parameter or member that takes them.</param>
/// <param name="tokens">Tokens to send; empty for none.</param>
/// <param name="shop">Where requests go.</param>
public sealed class RequestFuzzer(JsonObject document, int seed, IReadOnlyDictionary<string, string[]> known, string[] tokens, Uri shop)
{
    private const double Wrong = 0.06;

    private const string KeyHeader = "Idempotency-Key";

    private readonly IReadOnlyList<ApiOperation> _operations = ApiOperation.Of(document);

    /// <summary>What requests are made of.</summary>
    public IReadOnlyList<ApiOperation> Operations => _operations;

    /// <summary>Makes one up.</summary>
    public FuzzedRequest Make(int number)
    {
        var random = new Random(unchecked((int)(((uint)seed ^ (uint)number * 2_654_435_761) & int.MaxValue)));
        // each gets its share, whatever else is random
        var operation = _operations[number % _operations.Count];
        var strange = false;
        var path = operation.Path;
        var query = new StringBuilder();
        foreach (var (name, place, schema, _) in operation.Parameters)
        {
            if (place == "path")
                path = path.Replace($"{{{name}}}", Chance(random, 0.3) ? Escape(random, Pick(random, NastyValues.Texts)) : Escape(random, Known(random, name) ?? "x"), StringComparison.Ordinal);
            else if (place == "query" && Chance(random, 0.5))
                query.Append(query.Length == 0 ? '?' : '&').Append(name).Append('=').Append(Escape(random, Chance(random, 0.5) ? Pick(random, NastyValues.Texts) : Text(random, name, schema)));
        }
        // what was put there may be no segment of a path
        strange |= path.Split('/').Length != operation.Path.Split('/').Length || path.Contains("//", StringComparison.Ordinal) || path.EndsWith('/') || path.Contains("/.", StringComparison.Ordinal) || path.Contains('%', StringComparison.Ordinal)
            || !Ascii.IsValid(path);
        if (Chance(random, 0.08))
        {
            strange = true;
            var at = random.Next(path.Length + 1);
            path = Chance(random, 0.5) ? path + Pick(random, NastyValues.PathParts) : path[..at] + Pick(random, NastyValues.PathParts) + path[at..];
            if (path[0] != '/')
                path = "/" + path;
        }
        var method = operation.Method;
        if (Chance(random, 0.04))
            (method, strange) = (Pick(random, NastyValues.Methods), true);

        var message = new HttpRequestMessage(new(method), AddressOf(path + query));
        var token = Chance(random, 0.05) ? Pick(random, NastyValues.Texts) : Pick(random, tokens);
        if (token.Length > 0)
            Add(message, "Authorization", $"Bearer {token}");
        // under a key that was used nothing is done: mostly a new one
        foreach (var (name, _, schema, _) in operation.Parameters.Where(parameter => parameter.In == "header" && Chance(random, 0.9)))
            Add(message, name, Chance(random, 0.2) ? Pick(random, NastyValues.Texts) : name == KeyHeader && Chance(random, 0.9) ? $"fuzz-{seed}-{number}" : Text(random, name, schema));
        if (method == "POST" && !message.Headers.Contains(KeyHeader) && Chance(random, 0.9))
            Add(message, KeyHeader, Chance(random, 0.1) ? Pick(random, NastyValues.Texts) : $"fuzz-{seed}-{number}");
        for (; Chance(random, 0.15);)
            Add(message, Pick(random, NastyValues.HeaderNames), Pick(random, NastyValues.Texts));
        var body = operation.Body is not null || Chance(random, 0.05) ? Body(random, operation) : null;
        strange |= body is not null && operation.Body is null;
        if (body is not null && method != "TRACE")
            message.Content = Content(random, body);
        var shown = body is null ? "" : Encoding.UTF8.GetString(body);
        return new(number, operation, strange, $"{method} {path}{query} {shown[..Math.Min(400, shown.Length)]} {message.Headers}", message);
    }

    /// <summary>The path is sent as it is, dots and all; null where it makes no address at all.</summary>
    private Uri? AddressOf(string path) =>
        Uri.TryCreate(shop.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }, out var address) ? address : null;

    private byte[] Body(Random random, ApiOperation operation)
    {
        var valid = operation.Example is { } example && Chance(random, 0.6) ? example : operation.Body is { } schema ? Valid(random, schema, "", 0) : null;
        var text = new StringBuilder();
        Write(random, text, valid, "", Chance(random, 0.25) ? 0 : Wrong);
        var json = text.ToString();
        if (Chance(random, 0.04))
            json = json[..random.Next(json.Length + 1)];
        if (Chance(random, 0.02))
            json = json.Insert(random.Next(json.Length + 1), Pick(random, NastyValues.Texts));
        if (Chance(random, 0.01))
            json = new string(' ', random.Next(120_000, 140_000)) + json;
        var bytes = Encoding.UTF8.GetBytes(json);
        if (bytes.Length > 0 && Chance(random, 0.03))
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return Chance(random, 0.01) ? Encoding.Unicode.GetBytes(json) : Chance(random, 0.01) ? [0xef, 0xbb, 0xbf, .. bytes] : bytes;
    }

    private static HttpContent Content(Random random, byte[] body)
    {
        // a stream of unknown length is sent in chunks
        HttpContent content = Chance(random, 0.1) ? new StreamContent(new UnknownLength(body)) : new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", Chance(random, 0.05) ? Pick(random, NastyValues.ContentTypes) : "application/json");
        return content;
    }

    /// <summary>A value that the schema describes.</summary>
    private JsonNode? Valid(Random random, JsonObject schema, string name, int depth)
    {
        if (schema["$ref"]?.GetValue<string>() is { } reference)
            return depth > 8 ? null : Valid(random, document["components"]!["schemas"]![reference.Split('/')[^1]]!.AsObject(), name, depth + 1);
        if ((schema["oneOf"] ?? schema["anyOf"])?.AsArray() is { Count: > 0 } choices)
            return Valid(random, choices[random.Next(choices.Count)]!.AsObject(), name, depth + 1);
        if (schema["enum"]?.AsArray() is { Count: > 0 } values)
            return values[random.Next(values.Count)]?.DeepClone();
        switch (TypeOf(random, schema))
        {
            case "object":
                var members = new JsonObject();
                foreach (var (member, type) in schema["properties"]?.AsObject() ?? [])
                {
                    if (Chance(random, 0.8))
                        members[member] = Valid(random, type!.AsObject(), member, depth + 1);
                }
                return members;
            case "array":
                return new JsonArray([.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => schema["items"] is JsonObject items ? Valid(random, items, name, depth + 1) : null)]);
            case "integer":
                return random.Next(0, 20);
            case "number":
                return Math.Round(random.NextDouble() * 100, 2);
            case "boolean":
                return Chance(random, 0.5);
            case "null":
                return null;
            default:
                return Text(random, name, schema);
        }
    }

    private string Text(Random random, string name, JsonObject schema) => (Known(random, name), schema["format"]?.GetValue<string>(), TypeOf(random, schema)) switch
    {
        ({ } value, _, _) => value,
        (_, "uuid", _) => new Guid(Enumerable.Range(0, 16).Select(_ => (byte)random.Next(256)).ToArray()).ToString(),
        (_, "date-time", _) => DateTimeOffset.UnixEpoch.AddSeconds(random.Next()).ToString("O", CultureInfo.InvariantCulture),
        (_, _, "integer") => random.Next(0, 200).ToString(CultureInfo.InvariantCulture),
        (_, _, "number") => random.NextDouble().ToString(CultureInfo.InvariantCulture),
        (_, _, "boolean") => "true",
        _ => $"text-{random.Next(100)}",
    };

    private static string? TypeOf(Random random, JsonObject schema) => schema["type"] switch
    {
        JsonArray types => types[random.Next(types.Count)]!.GetValue<string>(),
        { } type => type.GetValue<string>(),
        null => schema["properties"] is null ? null : "object",
    };

    /// <summary>Writes the value, with something else in place of a part of it now and then.</summary>
    private void Write(Random random, StringBuilder text, JsonNode? node, string name, double wrong)
    {
        if (Chance(random, wrong))
        {
            text.Append(Chance(random, 0.4) ? JsonSerializer.Serialize(Pick(random, NastyValues.Texts)) : Pick(random, NastyValues.Json));
            return;
        }
        switch (node)
        {
            case JsonObject members:
                text.Append('{');
                foreach (var (member, value) in members)
                {
                    // left out, or there twice
                    for (var times = Chance(random, wrong / 2) ? 2 * random.Next(2) : 1; times > 0; times--)
                    {
                        text.Append(text[^1] == '{' ? "" : ",").Append(JsonSerializer.Serialize(member)).Append(':');
                        Write(random, text, value, member, wrong);
                    }
                }
                text.Append(Chance(random, wrong / 2) ? $"{(text[^1] == '{' ? "" : ",")}\"unknown\":1}}" : "}");
                break;
            case JsonArray items:
                text.Append('[').AppendJoin(',', items.Select(item =>
                {
                    var written = new StringBuilder();
                    Write(random, written, item, name, wrong);
                    return written.ToString();
                })).Append(']');
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String && Known(random, name) is { } other:
                text.Append(JsonSerializer.Serialize(other));
                break;
            default:
                text.Append(node?.ToJsonString() ?? "null");
                break;
        }
    }

    private string? Known(Random random, string name) => known.TryGetValue(name, out var values) ? Pick(random, values) : null;

    /// <summary>As a part of an address: mostly escaped, sometimes as it is.</summary>
    private static string Escape(Random random, string text)
    {
        // an address holds no lone surrogate and no line's end
        if (Chance(random, 0.9) || text.Any(letter => letter is '\r' or '\n' or '\0' or ' ' or '\t' or '#'))
            return Uri.EscapeDataString(text);
        return text;
    }

    private static void Add(HttpRequestMessage message, string name, string value)
    {
        // HttpClient itself sends no line's end within a header
        if (!value.AsSpan().ContainsAny('\r', '\n', '\0'))
            message.Headers.TryAddWithoutValidation(name, value);
    }

    private static bool Chance(Random random, double probability) => random.NextDouble() < probability;

    private static T Pick<T>(Random random, T[] values) => values[random.Next(values.Length)];

    private sealed class UnknownLength(byte[] body) : MemoryStream(body)
    {
        public override bool CanSeek => false;
    }
}
