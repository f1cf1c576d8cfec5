using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;

namespace Shop.Testing.Routes;

/// <summary>What holds for every route of every process, found by looking at all of them.</summary>
public static class RouteRules
{
    private const string Document = "/openapi/v1.json";

    /// <summary>The process's own routes, without the probes, which belong to supervisors, and the document itself.</summary>
    private static IEnumerable<RouteEndpoint> Routes(IServiceProvider services) => RouteTable.Of(services).Where(route => route.RoutePattern.RawText is { } path
            && !path.StartsWith("/health/", StringComparison.Ordinal) && !path.StartsWith("/openapi/", StringComparison.Ordinal));

    /// <summary>Routes about which nobody decided who may use them.</summary>
    public static IReadOnlyList<string> Undecided(IServiceProvider services) =>
    [
        .. RouteTable.Of(services)
            .Where(route => route.Metadata.GetMetadata<IAuthorizeData>() is null && route.Metadata.GetMetadata<IAllowAnonymous>() is null)
            .Select(route => route.RoutePattern.RawText ?? route.DisplayName ?? "?"),
    ];

    /// <summary>What the document lacks: routes, names of their own, summaries, examples, what headers are for, problems as answers, the events of streams.</summary>
    /// <param name="services">The process's own services.</param>
    /// <param name="client">Speaks to the process.</param>
    /// <param name="isOwn">Which routes the process answers itself; all where none is given.</param>
    public static async Task<IReadOnlyList<string>> UndescribedAsync(IServiceProvider services, HttpClient client, Func<RouteEndpoint, bool>? isOwn = null)
    {
        using var answer = await client.GetAsync(Document, Xunit.TestContext.Current.CancellationToken);
        Xunit.Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Xunit.TestContext.Current.CancellationToken));
        var paths = document.RootElement.GetProperty("paths");
        var lacking = new List<string>();
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var route in Routes(services).Where(isOwn ?? (_ => true)))
        {
            var path = RouteTable.Path(route);
            foreach (var method in RouteTable.Methods(route))
            {
                var name = $"{method} {path}";
                if (!paths.TryGetProperty(path, out var operations) || !operations.TryGetProperty(method.ToLowerInvariant(), out var operation))
                {
                    lacking.Add(name);
                    continue;
                }

                if (!operation.TryGetProperty("summary", out var summary) || string.IsNullOrWhiteSpace(summary.GetString()))
                    lacking.Add($"{name}: summary");
                var responses = operation.GetProperty("responses").EnumerateObject().ToArray();
                if (!responses.Any(response => response.Name[0] == '2'))
                    lacking.Add($"{name}: success");
                lacking.AddRange(responses
                    .Where(response => response.Name[0] is '4' or '5' && !(response.Value.TryGetProperty("content", out var content) && content.TryGetProperty("application/problem+json", out _)))
                    .Select(response => $"{name}: {response.Name} as a problem"));
                if (route.Metadata.GetMetadata<IAuthorizeData>() is not null && !operation.TryGetProperty("security", out _))
                    lacking.Add($"{name}: security");
                if (!operation.TryGetProperty("operationId", out var id) || !ids.Add(id.GetString()!))
                    lacking.Add($"{name}: an operationId of its own");
                lacking.AddRange(WithoutDetails(operation, responses).Select(detail => $"{name}: {detail}"));
            }
        }

        return lacking;
    }

    private static IEnumerable<string> WithoutDetails(JsonElement operation, JsonProperty[] responses)
    {
        if (operation.TryGetProperty("requestBody", out var body) && !body.GetProperty("content").EnumerateObject().First().Value.TryGetProperty("example", out _))
            yield return "an example of the body";
        IEnumerable<JsonElement> parameters = operation.TryGetProperty("parameters", out var all) ? [.. all.EnumerateArray()] : [];
        foreach (var header in parameters.Where(parameter => parameter.GetProperty("in").GetString() == "header" && !parameter.TryGetProperty("description", out _)))
            yield return $"what the header {header.GetProperty("name")} is for";
        foreach (var response in responses.Where(response => response.Name is "429" or "503" && !(response.Value.TryGetProperty("headers", out var given) && given.TryGetProperty("Retry-After", out _))))
            yield return $"{response.Name} with Retry-After";
        foreach (var response in responses.Where(response => response.Value.TryGetProperty("content", out var content) && content.TryGetProperty("text/event-stream", out var stream) && !stream.TryGetProperty("schema", out _)))
            yield return $"{response.Name}: the events of the stream";
    }
}
