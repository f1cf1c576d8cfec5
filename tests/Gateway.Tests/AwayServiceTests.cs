using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Shop.Gateway.Tests;

/// <summary>Instances that are away: left out where there are others, 503 where there are none.</summary>
public sealed class AwayServiceTests : IAsyncLifetime
{
    private readonly FakeService _first = new();
    private readonly FakeService _second = new();

    public async ValueTask InitializeAsync()
    {
        await _first.InitializeAsync();
        await _second.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
    }

    [Fact]
    public async Task Load_is_shared_and_a_dead_instance_costs_no_request()
    {
        await using var gateway = new GatewayUnderTest(Environments.Development, [], services => services.Replace(ServiceDescriptor.Singleton<IActiveHealthCheckPolicy, NobodyAsks>()),
            ("orders", [_first.Address, _second.Address]));
        var token = await gateway.TokenAsync("ada");
        for (var i = 0; i < 40; i++)
        {
            using var response = await gateway.SendAsync(HttpMethod.Post, "/api/orders", token, new StringContent("{}"));
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.NotEmpty(_first.Requests);
        Assert.NotEmpty(_second.Requests);
        Assert.Equal(40, _first.Requests.Count + _second.Requests.Count);

        Assert.True(gateway.Services.GetRequiredService<IProxyStateLookup>().TryGetCluster("orders", out var orders));
        var leftOut = false;
        await _first.StopAsync();
        for (var i = 0; i < 40; i++)
        {
            using var response = await gateway.SendAsync(HttpMethod.Post, "/api/orders", token, new StringContent("{\"again\":1}"));
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            leftOut |= orders.Destinations.Values.Any(destination => destination.Health.Passive == DestinationHealth.Unhealthy);
        }

        Assert.Equal(40, _second.Requests.Count(request => request.Body == "{\"again\":1}"));
        Assert.True(leftOut);
    }

    [Fact]
    public async Task A_comparison_of_all_payments_is_waited_for_longer_than_other_answers()
    {
        await using var gateway = new GatewayUnderTest(Environments.Development, [], services => services.AddSingleton<IProxyConfigFilter, Impatience>(), ("payments", [_first.Address]));
        var token = await gateway.TokenAsync("olga", "operator");
        _first.Takes = 4 * Impatience.Longest;

        using var reviews = await gateway.GetAsync("/api/ops/reviews", token);
        using var reconciliation = await gateway.SendAsync(HttpMethod.Post, "/api/ops/payments/reconciliation", token, new StringContent("{}"));

        Assert.Equal((HttpStatusCode.GatewayTimeout, HttpStatusCode.OK), (reviews.StatusCode, reconciliation.StatusCode));
    }

    [Fact]
    public async Task A_service_that_is_away_is_503_with_RetryAfter_and_is_asked_again_at_once()
    {
        await _first.StopAsync();
        await using var gateway = new GatewayUnderTest(Environments.Development, ("inventory", [_first.Address]));
        for (var i = 0; i < 3; i++)
        {
            using var response = await gateway.GetAsync("/api/catalog");
            await Problem.ReadAsync(response, HttpStatusCode.ServiceUnavailable);
            Assert.Equal(TimeSpan.FromSeconds(1), response.Headers.RetryAfter?.Delta);
        }

        await using var restarted = new FakeService(_first.Address);
        await restarted.InitializeAsync();
        using var found = await gateway.GetAsync("/api/catalog");
        Assert.Equal(HttpStatusCode.OK, found.StatusCode);
    }

    [Fact]
    public async Task An_instance_that_is_left_out_is_asked_before_nobody_is()
    {
        await using var gateway = new GatewayUnderTest(Environments.Development, [], services => services.Replace(ServiceDescriptor.Singleton<IActiveHealthCheckPolicy, NobodyAsks>()),
            ("inventory", [_first.Address, _second.Address]));
        Assert.True(gateway.Services.GetRequiredService<IProxyStateLookup>().TryGetCluster("inventory", out var inventory));
        var second = inventory.Destinations.Values.Single(destination => destination.Model.Config.Address.StartsWith(_second.Address, StringComparison.Ordinal));
        gateway.Services.GetRequiredService<IDestinationHealthUpdater>().SetActive(inventory, [new(second, DestinationHealth.Unhealthy)]);
        await _first.StopAsync();

        using var response = await gateway.GetAsync("/api/catalog");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Single(_second.Requests);
    }

    [Fact]
    public async Task A_service_without_instances_is_503()
    {
        await using var gateway = new GatewayUnderTest(Environments.Development);
        using var response = await gateway.GetAsync("/api/catalog");
        await Problem.ReadAsync(response, HttpStatusCode.ServiceUnavailable);
        Assert.NotNull(response.Headers.RetryAfter);
    }

    /// <summary>In the place of the question whether an instance is ready, which may come before the request that finds it dead.</summary>
    private sealed class NobodyAsks : IActiveHealthCheckPolicy
    {
        public string Name => "Readiness";

        public void ProbingCompleted(ClusterState cluster, IReadOnlyList<DestinationProbingResult> probingResults)
        {
        }
    }

    /// <summary>Clusters with little patience, in place of half a minute.</summary>
    private sealed class Impatience : IProxyConfigFilter
    {
        public static readonly TimeSpan Longest = TimeSpan.FromSeconds(0.5);

        public ValueTask<ClusterConfig> ConfigureClusterAsync(ClusterConfig cluster, CancellationToken cancel) =>
            new(cluster with { HttpRequest = cluster.HttpRequest! with { ActivityTimeout = Longest } });

        public ValueTask<RouteConfig> ConfigureRouteAsync(RouteConfig route, ClusterConfig? cluster, CancellationToken cancel) => new(route);
    }
}
