using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Shop.Activity.Warehouse;

/// <summary>Tells by readiness which topics, or partitions of them, are not archived. Degraded: requests are answered all the same.</summary>
internal sealed class WarehouseHealth : IHealthCheck
{
    private volatile string[] _leftOut = [];

    /// <summary>These are left out, and no others.</summary>
    public void LeaveOut(IEnumerable<string> logs) => _leftOut = [.. logs];

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_leftOut is [] ? HealthCheckResult.Healthy() : HealthCheckResult.Degraded($"Not archived, as they end before what the warehouse has: {string.Join(", ", _leftOut)}"));
}
