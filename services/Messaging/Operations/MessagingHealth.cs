using System.Collections.Concurrent;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Shop.Messaging.Operations;

/// <summary>Ready when every endpoint has joined its consumer group.</summary>
internal sealed class MessagingHealth(MessagingOptions options) : IHealthCheck
{
    private readonly ConcurrentDictionary<string, bool> _joined = new();

    /// <summary>The endpoint has its first assignment, be it empty.</summary>
    public void Joined(string endpoint) => _joined[endpoint] = true;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var waiting = options.Endpoints.Select(endpoint => endpoint.Name).Where(name => !_joined.ContainsKey(name)).ToList();
        return Task.FromResult(waiting.Count == 0
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy($"Not yet consuming: {string.Join(", ", waiting)}"));
    }
}
