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

    /// <summary>What the document lacks: routes, summaries, problems as answers.</summary>
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
            }
        }

        return lacking;
    }
}
