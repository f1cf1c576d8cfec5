using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Shop.Gateway.Tests;

/// <summary>What the gateway makes of what an instance answers when it is asked whether it is ready.</summary>
public sealed class ReadinessTests : IAsyncLifetime
{
    private readonly FakeService _service = new();
    private GatewayUnderTest _gateway = null!;
    private ClusterState _cluster = null!;

    // not the gateway's own, which nobody but its own questions is to change
    private readonly DestinationState _instance = new("instance");

    public async ValueTask InitializeAsync()
    {
        await _service.InitializeAsync();
        _gateway = new GatewayUnderTest(Environments.Development, ("orders", [_service.Address]));
        Assert.True(_gateway.Services.GetRequiredService<IProxyStateLookup>().TryGetCluster("orders", out var cluster));
        _cluster = cluster;
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _service.DisposeAsync();
    }

    [Fact]
    public async Task However_often_the_gateway_is_asked_it_asks_its_services_once_a_second()
    {
        await using var gateway = new GatewayUnderTest(Environments.Development, [.. ((string[])["orders", "inventory", "payments", "activity"]).Select(name => (name, new[] { _service.Address }))]);
        var (clock, before) = (Stopwatch.StartNew(), _service.ReadinessAsked);
        for (var i = 0; i < 300; i++)
        {
            using var answer = await gateway.GetAsync("/health/ready");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
        // four services each time, and gateways ask every other second of themselves
        Assert.InRange(_service.ReadinessAsked - before, 4, 8 * ((int)clock.Elapsed.TotalSeconds + 3));
    }

    [Fact]
    public void One_that_says_that_it_is_not_ready_is_left_out_at_once_until_it_is()
    {
        Assert.Equal(DestinationHealth.Healthy, After(HttpStatusCode.OK));
        Assert.Equal(DestinationHealth.Unhealthy, After(HttpStatusCode.ServiceUnavailable));
        Assert.Equal(DestinationHealth.Healthy, After(HttpStatusCode.OK));
    }

    [Theory, InlineData(null), InlineData(HttpStatusCode.InternalServerError), InlineData(HttpStatusCode.NotFound)]
    public void One_that_says_nothing_or_something_else_is_left_out_the_third_time_in_turn(HttpStatusCode? answer)
    {
        Assert.Equal(DestinationHealth.Healthy, After(HttpStatusCode.OK));
        Assert.Equal([DestinationHealth.Healthy, DestinationHealth.Healthy], new[] { After(answer), After(answer) });
        Assert.Equal(DestinationHealth.Healthy, After(HttpStatusCode.OK));
        Assert.Equal([DestinationHealth.Healthy, DestinationHealth.Healthy, DestinationHealth.Unhealthy], new[] { After(answer), After(answer), After(answer) });
    }

    [Fact]
    public void One_that_was_not_ready_and_says_nothing_has_not_come_back()
    {
        Assert.Equal(DestinationHealth.Unhealthy, After(HttpStatusCode.ServiceUnavailable));
        Assert.Equal(DestinationHealth.Unhealthy, After(null));
        Assert.Equal(DestinationHealth.Healthy, After(HttpStatusCode.OK));
    }

    /// <param name="answer">Null where there was none in time.</param>
    private DestinationHealth After(HttpStatusCode? answer)
    {
        var policy = _gateway.Services.GetServices<IActiveHealthCheckPolicy>().Single(policy => policy.Name == _cluster.Model.Config.HealthCheck!.Active!.Policy);
        using var response = answer is { } status ? new HttpResponseMessage(status) : null;
        policy.ProbingCompleted(_cluster, [new(_instance, response, response is null ? new TaskCanceledException() : null)]);
        return _instance.Health.Active;
    }
}
