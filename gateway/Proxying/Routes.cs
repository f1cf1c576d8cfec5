using System.Text;
using Shop.ServiceDefaults.Authentication;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.LoadBalancing;

namespace Shop.Gateway.Proxying;

/// <summary>Which service answers which path, and who may ask. The path is passed on unchanged.</summary>
internal static class Routes
{
    /// <summary>In a route's metadata: how long its service may be silent, where that is longer than elsewhere.</summary>
    public const string LongestSilence = nameof(LongestSilence);

    private const string Reconciliation = "/api/ops/payments/reconciliation";

    private const string Anyone = "anonymous";
    private const string Shopper = "default";

    private static readonly (string Path, string Service, string Policy)[] Table =
    [
        ("/api/catalog/{**rest}", "inventory", Anyone),
        ("/api/stock/{**rest}", "inventory", Anyone),
        ("/api/orders/{**rest}", "orders", Shopper),
        ("/api/activity", "activity", Anyone),
        ("/api/activity/{**rest}", "activity", Policies.Operator),
        ("/api/ops/stock/{**rest}", "inventory", Policies.Operator),
        ("/api/ops/products/{**rest}", "inventory", Policies.Operator),
        ("/api/ops/sensors/{**rest}", "inventory", Policies.Operator),
        ("/api/devices/{**rest}", "inventory", Anyone),
        ("/api/ops/orders/{**rest}", "orders", Policies.Operator),
        ("/api/ops/inventory/flow", "inventory", Policies.Operator),
        ("/api/ops/inventory/dead-letters/{**rest}", "inventory", Policies.Operator),
        ("/api/ops/inventory/refused-events/{**rest}", "inventory", Policies.Operator),
        ("/api/ops/reviews/{**rest}", "payments", Policies.Operator),
        ("/api/ops/fraud/{**rest}", "payments", Policies.Operator),
        (Reconciliation, "payments", Policies.Operator),
        ("/api/ops/payments/{id}", "payments", Policies.Operator),
        ("/api/ops/payments/flow", "payments", Policies.Operator),
        ("/api/ops/payments/dead-letters/{**rest}", "payments", Policies.Operator),
        ("/api/ops/payments/refused-events/{**rest}", "payments", Policies.Operator),
        ("/api/ops/activity/rebuild", "activity", Policies.Operator),
        ("/api/ops/logs/{**rest}", "activity", Policies.Operator),
        ("/api/ops/alarms/{**rest}", "activity", Policies.Operator),
        ("/api/ops/activity/flow", "activity", Policies.Operator),
        ("/api/ops/activity/dead-letters/{**rest}", "activity", Policies.Operator),
        ("/api/ops/activity/refused-events/{**rest}", "activity", Policies.Operator),
    ];

    /// <summary>The table as YARP reads it; the more exact path wins.</summary>
    public static IReadOnlyList<RouteConfig> All { get; } =
    [
        .. Table.Select(route => new RouteConfig
        {
            RouteId = route.Path,
            ClusterId = route.Service,
            AuthorizationPolicy = route.Policy,
            Match = new RouteMatch { Path = route.Path },
            // a minute longer than Payments gives it, so that the answer is Payments'
            Metadata = route.Path == Reconciliation ? new Dictionary<string, string> { [LongestSilence] = "00:11:00" } : null,
        }),
    ];

    /// <summary>
    /// One cluster for each service of the table. Its instances are found by service discovery: the settings <c>services__NAME__http__0</c>,
    /// <c>__1</c>, ..., and without any the host of the service's name.
    /// </summary>
    public static IReadOnlyList<ClusterConfig> Clusters { get; } =
        [.. Table.Select(route => route.Service).Distinct().Select(Cluster)];

    /// <summary>Whether a path of a service's, as it declares it (<c>/api/orders/{id}</c>), is passed on to it.</summary>
    public static bool Reach(string service, string path) => Table.Any(route => route.Service == service && (route.Path == path
        || route.Path.Split("/{**", 2) is [var prefix, _] && (path == prefix || path.StartsWith(prefix + "/", StringComparison.Ordinal))));

    private static ClusterConfig Cluster(string service) => new()
    {
        ClusterId = service,
        LoadBalancingPolicy = LoadBalancingPolicies.PowerOfTwoChoices,
        Destinations = new Dictionary<string, DestinationConfig> { [service] = new() { Address = $"http://{service}" } },
        HealthCheck = new HealthCheckConfig
        {
            Passive = new PassiveHealthCheckConfig { Enabled = true, Policy = UnreachableInstancePolicy.PolicyName },
            // one that will stop says so before it does: see Draining
            Active = new ActiveHealthCheckConfig
            {
                Enabled = true,
                Interval = TimeSpan.FromSeconds(2),
                Timeout = TimeSpan.FromSeconds(1),
                Policy = ReadinessPolicy.PolicyName,
                Path = "/health/ready",
            },
            // when every instance failed, trying one is better than refusing: it may be up again
            AvailableDestinationsPolicy = HealthCheckConstants.AvailableDestinations.HealthyOrPanic,
        },
        // as Kestrel reads them: the default, ASCII, takes a letter beyond it for a failure of the connection
        HttpClient = new() { RequestHeaderEncoding = Encoding.UTF8.WebName },
        // since the last byte: a stream stays open for as long as its service shows signs of life
        HttpRequest = new() { ActivityTimeout = TimeSpan.FromSeconds(30) },
    };
}
