using System.Collections.Concurrent;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Shop.Messaging.Kafka;

namespace Shop.Messaging.Operations;

/// <summary>
/// Ready when every endpoint has joined its consumer group. Degraded while Kafka is away: requests are answered all the same, their events wait.
/// </summary>
internal sealed class MessagingHealth(MessagingOptions options, KafkaLog kafka) : IHealthCheck
{
    private readonly ConcurrentDictionary<string, bool> _joined = new();

    /// <summary>The endpoint has its first assignment, be it empty.</summary>
    public void Joined(string endpoint) => _joined[endpoint] = true;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var waiting = options.Endpoints.Select(endpoint => endpoint.Name).Where(name => !_joined.ContainsKey(name)).ToList();
        return Task.FromResult(
            waiting.Count > 0 ? HealthCheckResult.Unhealthy($"Not yet consuming: {string.Join(", ", waiting)}")
            : kafka.IsAway ? HealthCheckResult.Degraded("Kafka does not answer: events wait")
            : HealthCheckResult.Healthy());
    }
}
