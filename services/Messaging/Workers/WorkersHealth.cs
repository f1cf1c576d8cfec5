using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Shop.Messaging.Operations;

namespace Shop.Messaging.Workers;

/// <summary>
/// Tells by readiness which workers fail, and why. Degraded, not unhealthy: requests are answered all the same, and an instance whose
/// clean-up fails is not to be taken out of service.
/// </summary>
/// <param name="staleSessions">Told of each failure, where the service has a database.</param>
internal sealed class WorkersHealth(StaleSessions? staleSessions = null) : IHealthCheck
{
    private static readonly Counter<long> Failures = MessagingTelemetry.Meter.CreateCounter<long>(
        "shop.worker.failures", "{failure}", "Failures of background workers, each of which is followed by another attempt");

    private readonly ConcurrentDictionary<string, string> _failing = new();

    /// <summary>The worker has failed.</summary>
    /// <returns>Whether it worked before.</returns>
    public bool Failed(string worker, Exception failure)
    {
        staleSessions?.ClearAfter(failure);
        Failures.Add(1, new KeyValuePair<string, object?>("shop.worker", worker));
        var reason = failure.GetBaseException().Message;
        var isNew = !_failing.ContainsKey(worker);
        _failing[worker] = reason;
        return isNew;
    }

    /// <summary>The worker works.</summary>
    /// <returns>Whether it had failed before.</returns>
    public bool Works(string worker) => _failing.TryRemove(worker, out _);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_failing.IsEmpty
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Degraded(string.Join("; ", _failing.OrderBy(worker => worker.Key).Select(worker => $"{worker.Key}: {worker.Value}"))));
}
