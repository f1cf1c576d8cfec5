using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Shop.AppHost.Running;

/// <summary>Says how an instance of the resource is asked whether it can do its work.</summary>
/// <param name="AskAsync">Is given the instance's address; throws, or answers false, where it cannot.</param>
internal sealed record ProbeAnnotation(Func<string, CancellationToken, Task<bool>> AskAsync) : IResourceAnnotation;

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
        var name = builder.Resource.Name;
        builder.ApplicationBuilder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
            $"{name}-ready", services => new SupervisedHealth(services.GetRequiredService<Supervisor>(), name), failureStatus: null, tags: null));
        return builder.WithAnnotation(new ProbeAnnotation(askAsync)).WithHealthCheck($"{name}-ready");
    }

    /// <summary>The same for a project that says so over HTTP, at <c>/health/ready</c>.</summary>
    public static IResourceBuilder<ProjectResource> IsSupervised(this IResourceBuilder<ProjectResource> builder) =>
        builder.IsSupervised(async (url, cancellationToken) =>
        {
            using var response = await Http.GetAsync(url.TrimEnd('/') + "/health/ready", HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return response.IsSuccessStatusCode;
        });

    private sealed class SupervisedHealth(Supervisor supervisor, string name) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(Patience);
            await supervisor.HealthyAsync(name, patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return supervisor.IsHealthy(name) ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy();
        }
    }
}
