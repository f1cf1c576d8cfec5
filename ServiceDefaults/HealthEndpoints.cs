using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Shop.ServiceDefaults;

/// <summary>The two questions a supervisor asks: is the process up, and can it do its work.</summary>
public static class HealthEndpoints
{
    /// <summary>Tag of the health checks that decide <c>/health/ready</c>.</summary>
    public const string ReadyTag = "ready";

    internal const string Path = "/health";

    internal static void MapHealthEndpoints(this IEndpointRouteBuilder endpoints)
    {
        // live asks no check: a process whose database is away must not be killed for it
        endpoints.MapHealthChecks(Path + "/live", new() { Predicate = _ => false, ResponseWriter = WriteAsync }).AllowAnonymous();
        endpoints.MapHealthChecks(Path + "/ready", new() { Predicate = check => check.Tags.Contains(ReadyTag), ResponseWriter = WriteAsync })
            .AllowAnonymous();
    }

    private static Task WriteAsync(HttpContext context, HealthReport report) =>
        context.Response.WriteAsJsonAsync(
            new HealthAnswer(
                report.Status.ToString(),
                report.Entries.ToDictionary(
                    entry => entry.Key,
                    // a check's description is written by us; its exception may hold addresses and stays in the log
                    entry => entry.Value.Description is { } text ? $"{entry.Value.Status}: {text}" : entry.Value.Status.ToString())),
            context.RequestAborted);

    private sealed record HealthAnswer(string Status, Dictionary<string, string> Checks);
}
