using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Shop.AppHost.Running;

/// <summary>Says how an instance of the resource is asked whether it can do its work, and what all have answered.</summary>
/// <param name="askAsync">Is given the instance's address; throws, or answers false, where it cannot.</param>
internal sealed class ProbeAnnotation(Func<string, CancellationToken, Task<bool>> askAsync) : IResourceAnnotation
{
    public Func<string, CancellationToken, Task<bool>> AskAsync => askAsync;

    /// <summary>Whether all instances are healthy.</summary>
    public volatile bool Healthy;
}

internal static class Supervision
{
    /// <summary>How long Aspire's health check waits for the supervisor to find the resource healthy: it asks an unhealthy one but once a second.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });

    /// <summary>
    /// Has the supervisor ask each instance for its health, and start it again when it ends without having been told to. Aspire's health
    /// check of the resource, which others wait for, is what the supervisor has found.
    /// </summary>
    /// <param name="builder">The resource.</param>
    /// <param name="askAsync">Asks an instance, see <see cref="ProbeAnnotation"/>.</param>
    public static IResourceBuilder<T> IsSupervised<T>(this IResourceBuilder<T> builder, Func<string, CancellationToken, Task<bool>> askAsync) where T : IResource
    {
        var probe = new ProbeAnnotation(askAsync);
        var check = $"{builder.Resource.Name}-ready";
        builder.ApplicationBuilder.Services.AddHealthChecks().AddAsyncCheck(check, async cancellationToken =>
        {
            for (var since = Stopwatch.StartNew(); !probe.Healthy && since.Elapsed < Patience;) await Task.Delay(20, cancellationToken);
            return probe.Healthy ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy();
        });
        return builder.WithAnnotation(probe).WithHealthCheck(check);
    }

    /// <summary>The same for a project that says so over HTTP, at <c>/health/ready</c>.</summary>
    public static IResourceBuilder<ProjectResource> IsSupervised(this IResourceBuilder<ProjectResource> builder) =>
        builder.IsSupervised(async (url, cancellationToken) =>
        {
            using var response = await Http.GetAsync(url.TrimEnd('/') + "/health/ready", HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return response.IsSuccessStatusCode;
        });
}
