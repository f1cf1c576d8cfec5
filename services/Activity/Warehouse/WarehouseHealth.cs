using Microsoft.Extensions.Diagnostics.HealthChecks;
using Shop.Messaging.Streams;

namespace Shop.Activity.Warehouse;

/// <summary>Tells by readiness which topics, or partitions of them, are not archived. Degraded: requests are answered all the same.</summary>
internal sealed class WarehouseHealth : IHealthCheck
{
    private volatile string[] _leftOut = [];

    /// <summary>These are left out, and no others.</summary>
    public void LeaveOut(IEnumerable<string> logs) => _leftOut = [.. logs];

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_leftOut is [] ? HealthCheckResult.Healthy() : HealthCheckResult.Degraded($"Not archived, as they end before what the warehouse has: {string.Join(", ", _leftOut)}"));

    /// <summary>What is left out, as an operator is told: a topic as a whole, or those of its partitions.</summary>
    public static List<string> NamesOf(HashSet<(string Topic, int Partition)> leftOut, IReadOnlyList<LogPartition> partitions)
    {
        var names = new List<string>();
        foreach (var topic in partitions.GroupBy(partition => partition.Topic.Name).OrderBy(topic => topic.Key, StringComparer.Ordinal))
        {
            var left = topic.Where(partition => leftOut.Contains((topic.Key, partition.Partition))).ToList();
            if (left.Count > 0 && left.Count == topic.Count())
                names.Add(topic.Key);
            else
                names.AddRange(left.Select(partition => $"{topic.Key}[{partition.Partition}]"));
        }
        return names;
    }
}
