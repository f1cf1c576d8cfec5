using System.Net;
using System.Runtime.CompilerServices;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Shop.Gateway.Proxying;

/// <summary>
/// Leaves an instance out at once when it says itself that it is not ready, as one does that will stop. One that says nothing in time, or something else, may
/// only be busy: it is left out from the third time on in turn.
/// </summary>
internal sealed class ReadinessPolicy(IDestinationHealthUpdater health) : IActiveHealthCheckPolicy
{
    public const string PolicyName = "Readiness";

    private const int FailuresInTurn = 3;

    // of instances that there are: they come and go
    private readonly ConditionalWeakTable<DestinationState, StrongBox<int>> _failures = [];

    public string Name => PolicyName;

    public void ProbingCompleted(ClusterState cluster, IReadOnlyList<DestinationProbingResult> probingResults) =>
        health.SetActive(cluster, [.. probingResults.Select(result => new NewActiveDestinationHealth(result.Destination, HealthAfter(result)))]);

    private DestinationHealth HealthAfter(DestinationProbingResult result)
    {
        var failures = _failures.GetOrCreateValue(result.Destination);
        if (result.Response?.IsSuccessStatusCode == true)
        {
            failures.Value = 0;
            return DestinationHealth.Healthy;
        }
        failures.Value++;
        return result.Response?.StatusCode == HttpStatusCode.ServiceUnavailable || failures.Value >= FailuresInTurn
            ? DestinationHealth.Unhealthy
            // as it was: also for one that has not come back yet
            : result.Destination.Health.Active;
    }
}
