using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Shop.Testing;

namespace Shop.EndToEnd.Fuzzing;

/// <summary>
/// Requests as the document describes them, with what there is in the shop and nothing wrong: each operation has to succeed, so that what is made up from the same
/// document gets as far. Its answer has the headers and the body that are described.
/// </summary>
/// <param name="client">Speaks to the shop.</param>
/// <param name="document">Its document.</param>
/// <param name="known">Values that exist in the shop, by the name of the parameter that takes them.</param>
/// <param name="tokens">Of those who ask, one after the other until one may.</param>
public sealed class PlainRequests(HttpClient client, JsonObject document, IReadOnlyDictionary<string, string[]> known, IReadOnlyList<string> tokens)
{
    private const string NothingFails = "nothing is dead or refused in a shop in which nothing goes wrong", NothingIsHeld = "no payment is held", MayHaveEnded = "what it ends may have ended by itself";

    /// <summary>Operations that do not succeed here, or not for sure, and why.</summary>
    private static readonly Dictionary<string, string> Exceptions = new(((string[])["orders", "inventory", "payments", "activity"])
        .SelectMany(service => ((string[])["dead-letters/{id}/redrive", "dead-letters/{id}/discard", "refused-events/{id}/retry", "refused-events/{id}/discard"])
            .Select(action => KeyValuePair.Create($"POST /api/ops/{service}/{action}", NothingFails))))
    {
        ["GET /api/ops/reviews/{paymentId}"] = NothingIsHeld,
        ["POST /api/ops/reviews/{paymentId}"] = NothingIsHeld,
        ["DELETE /api/ops/fraud/replay"] = MayHaveEnded,
        ["DELETE /api/ops/activity/rebuild"] = MayHaveEnded,
    };

    /// <summary>What is made is there to be read, and is removed at last.</summary>
    private static readonly string[] Methods = ["POST", "PUT", "GET", "DELETE"];

    /// <summary>Headers that an answer has where the document says so, and nowhere else.</summary>
    private static readonly string[] DescribedHeaders = ["Location", "ETag", "Retry-After"];

    private readonly AnswerSchemas _schemas = new(document);

    /// <summary>Ids of what was made by these requests, the newest first.</summary>
    private readonly List<string> _made = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Sends them.</summary>
    /// <returns>A line for each operation that does not succeed, or not as it is described.</returns>
    public async Task<IReadOnlyList<string>> FailuresAsync()
    {
        var operations = ApiOperation.Of(document);
        var failures = Exceptions.Keys.Except(operations.Select(NameOf)).Select(name => $"{name} is no operation").ToList();
        foreach (var operation in operations.Where(operation => !Exceptions.ContainsKey(NameOf(operation))).OrderBy(operation => Array.IndexOf(Methods, operation.Method)))
        {
            if (await TryAsync(operation) is { } failure)
                failures.Add($"{NameOf(operation)}: {failure}");
        }
        return failures;
    }

    private static string NameOf(ApiOperation operation) => $"{operation.Method} {operation.Path}";

    private async Task<string?> TryAsync(ApiOperation operation)
    {
        var refusals = new List<string>();
        foreach (var address in AddressesOf(operation))
        {
            foreach (var token in tokens)
            {
                using var answer = await SendAsync(operation, address, token);
                if (answer.IsSuccessStatusCode)
                    return await CheckAsync(operation, answer);
                refusals.Add($"{(int)answer.StatusCode} at {address}");
            }
        }
        return refusals.Count == 0 ? "nothing is known that it takes" : string.Join(", ", refusals);
    }

    /// <summary>With each known value in its path, without a query, and with each known value of it alone.</summary>
    private IEnumerable<string> AddressesOf(ApiOperation operation)
    {
        IEnumerable<string> paths = [operation.Path];
        foreach (var parameter in operation.Parameters.Where(parameter => parameter.In == "path"))
            paths = paths.SelectMany(path => ValuesOf(parameter.Name).Select(value => path.Replace($"{{{parameter.Name}}}", value, StringComparison.Ordinal)));
        var queries = operation.Parameters.Where(parameter => parameter.In == "query")
            .SelectMany(parameter => ValuesOf(parameter.Name).Take(1).Select(value => $"?{parameter.Name}={Uri.EscapeDataString(value)}")).Prepend("").ToList();
        return paths.SelectMany(path => queries.Select(query => path + query));
    }

    private List<string> ValuesOf(string name) => [.. name == "id" ? _made : Enumerable.Empty<string>(), .. known.GetValueOrDefault(name) ?? []];

    private async Task<HttpResponseMessage> SendAsync(ApiOperation operation, string address, string token)
    {
        HttpResponseMessage? answer = null;
        // a busy machine may have no time for it, and says so
        await Eventually.BecomesTrueAsync(async () =>
        {
            answer?.Dispose();
            using var request = new HttpRequestMessage(new(operation.Method), address) { Headers = { Authorization = new("Bearer", token) } };
            foreach (var header in operation.Parameters.Where(parameter => parameter.In == "header" && parameter.Required))
                request.Headers.Add(header.Name, ValuesOf(header.Name).FirstOrDefault() ?? Guid.CreateVersion7().ToString());
            if (operation.Example is { } example)
                request.Content = new StringContent(example.ToJsonString(), Encoding.UTF8, "application/json");
            answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
            return answer.StatusCode != HttpStatusCode.ServiceUnavailable;
        });
        return answer!;
    }

    private async Task<string?> CheckAsync(ApiOperation operation, HttpResponseMessage answer)
    {
        var status = (int)answer.StatusCode;
        if (document["paths"]![operation.Path]![operation.Method.ToLowerInvariant()]!["responses"]![status.ToString(CultureInfo.InvariantCulture)] is not { } described)
            return $"{status} is not described";
        foreach (var header in DescribedHeaders)
        {
            var isDescribed = described["headers"]?[header] is not null;
            if (isDescribed != answer.Headers.Contains(header))
                return $"{status} {(isDescribed ? "without" : "with")} {header}, otherwise than described";
        }
        var mediaType = answer.Content.Headers.ContentType?.MediaType;
        // a stream need not end
        var text = mediaType == "text/event-stream" ? "" : await answer.Content.ReadAsStringAsync(Cancellation);
        if (operation.Method == "POST" && text.Length > 0 && JsonNode.Parse(text) is JsonObject made && made["id"] is JsonValue id)
            _made.Insert(0, id.ToString());
        return _schemas.Check(operation.Path, operation.Method, status, mediaType, text);
    }
}
