using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Shop.Gateway.Proxying;

/// <summary>
/// Leaves an instance out, for a while, from the first time it could not be reached. YARP's own policy waits for a rate of
/// failures over a minute, which is ten failed orders from a replica that is plainly not there.
/// </summary>
internal sealed class UnreachableInstancePolicy(IDestinationHealthUpdater health) : IPassiveHealthCheckPolicy
{
    public const string PolicyName = "UnreachableInstance";

    // about what a supervisor takes to start a service again
    private static readonly TimeSpan LeftOut = TimeSpan.FromSeconds(3);

    public string Name => PolicyName;

    public void RequestProxied(HttpContext context, ClusterState cluster, DestinationState destination)
    {
        if (context.GetForwarderErrorFeature() is { } failure && failure.IsOfInstance())
            health.SetPassive(cluster, destination, DestinationHealth.Unhealthy, LeftOut);
    }
}
