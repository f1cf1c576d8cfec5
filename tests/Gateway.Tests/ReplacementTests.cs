using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shop.AppHost.Running;
using Shop.ServiceDefaults;
using Shop.Testing;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Shop.Gateway.Tests;

/// <summary>Under load, an instance of a service, and a gateway, are replaced by another: no request fails.</summary>
public sealed class ReplacementTests : IAsyncLifetime
{
    private const int Workers = 8;

    /// <summary>Answers by which the test knows that one takes part.</summary>
    private const int Enough = 50;

    // several times what the gateway, and the balancer of the test, take to see that one is not ready any more;
    // as long again is left of the 30 s that a host has for its end
    private const string DrainingDelay = "00:00:15";

    private readonly TaskCompletionSource _arrived = new(), _release = new();
    private readonly ConcurrentDictionary<string, int> _answers = [];
    private readonly ConcurrentQueue<string> _failures = [];
    private readonly CancellationTokenSource _ended = new();
    private readonly HttpClient _client = new();
    private WebApplication _first = null!, _second = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _first = await StartAsync("first", $"http://127.0.0.1:{Ports.Free()}");
        _second = await StartAsync("second", $"http://127.0.0.1:{Ports.Free()}");
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _ended.Dispose();
        _client.Dispose();
        await _first.DisposeAsync();
        await _second.DisposeAsync();
    }

    [Long]
    [Fact]
    public async Task No_request_fails_while_an_instance_of_a_service_is_replaced()
    {
        await using var gateway = Gateway();
        Assert.True(gateway.Services.GetRequiredService<IProxyStateLookup>().TryGetCluster("activity", out var cluster));
        var address = _first.Urls.Single();
        var first = cluster.Destinations.Values.Single(destination => destination.Model.Config.Address.StartsWith(address, StringComparison.Ordinal));
        var load = LoadAsync(() => gateway.Client.BaseAddress!);
        await AnswersAsync("first", "second");

        var stop = _first.StopAsync(Cancellation);
        await Eventually.BecomesAsync(DestinationHealth.Unhealthy, () => Task.FromResult(first.Health.Active));
        Assert.False(stop.IsCompleted, "it was gone before the gateway knew");
        await stop;
        await _first.DisposeAsync();
        await AnswersAsync("second");
        _first = await StartAsync("replacement", address);
        await AnswersAsync("replacement", "second");

        await EndAsync(load);
    }

    [Long]
    [Fact]
    public async Task No_request_fails_while_a_gateway_is_replaced_and_what_is_under_way_comes_to_its_end()
    {
        var first = Gateway();
        await using var second = Gateway();
        Uri firstAddress = first.Client.BaseAddress!, secondAddress = second.Client.BaseAddress!;
        HttpStatusCode? ready = HttpStatusCode.OK;
        var balanced = BalanceAsync(firstAddress, status => ready = status);
        var load = LoadAsync(() => ready == HttpStatusCode.OK ? firstAddress : secondAddress);
        var underWay = _client.GetStringAsync(new Uri(firstAddress, "/api/catalog/long"), Cancellation);
        await _arrived.Task.WaitAsync(Cancellation);
        await AnswersAsync("first", "second");

        var stop = first.DisposeAsync().AsTask();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(ready != HttpStatusCode.OK));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready);
        await Eventually.BecomesTrueAsync(() => Connecting.IsRefusedAsync(firstAddress, Cancellation));
        await AnswersAsync("first", "second");
        Assert.Equal((false, false), (underWay.IsCompleted, stop.IsCompleted));
        _release.SetResult();
        Assert.Equal("done", await underWay);
        await stop;

        await EndAsync(load);
        await balanced;
    }

    private GatewayUnderTest Gateway() => new(Environments.Development, new()
    {
        ["RateLimits:Activity:PerSecond"] = "1000000",
        ["RateLimits:Activity:Burst"] = "1000000",
        ["Draining:Delay"] = DrainingDelay,
    }, [.. ((string[])["activity", "inventory", "orders", "payments"]).Select(service => (service, new[] { _first.Urls.Single(), _second.Urls.Single() }))]);

    private async Task<WebApplication> StartAsync(string name, string address)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["urls"] = address, ["Draining:Delay"] = DrainingDelay });
        builder.Logging.ClearProviders();
        builder.AddServiceDefaults(authentication: false);
        var service = builder.Build();
        service.MapServiceDefaults();
        service.MapPost("/api/activity", () => name);
        service.MapGet("/api/catalog/long", async () =>
        {
            _arrived.TrySetResult();
            await _release.Task;
            return "done";
        });
        await service.StartAsync(Cancellation);
        return service;
    }

    /// <summary>Requests that the gateway may not repeat, for they change something, one after the other by each worker.</summary>
    private Task LoadAsync(Func<Uri> gateway) => Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(async () =>
    {
        while (!_ended.IsCancellationRequested)
        {
            try
            {
                using var answer = await _client.PostAsync(new Uri(gateway(), "/api/activity"), new StringContent("[]"), Cancellation);
                var text = await answer.Content.ReadAsStringAsync(Cancellation);
                if (answer.IsSuccessStatusCode)
                    _answers.AddOrUpdate(text, 1, (_, count) => count + 1);
                else
                    _failures.Enqueue($"{answer.StatusCode}: {text}");
            }
            catch (HttpRequestException e)
            {
                _failures.Enqueue(e.ToString());
            }
        }
    })));

    private async Task EndAsync(Task load)
    {
        await _ended.CancelAsync();
        await load;
        Assert.Empty(_failures);
    }

    /// <summary>Waits until each of them has answered some more.</summary>
    private async Task AnswersAsync(params string[] services)
    {
        foreach (var service in services)
        {
            var before = _answers.GetValueOrDefault(service);
            await Eventually.BecomesTrueAsync(() => Task.FromResult(_answers.GetValueOrDefault(service) >= before + Enough));
        }
    }

    /// <summary>Asks, as a balancer does, whether the gateway is ready, until it is not.</summary>
    private async Task BalanceAsync(Uri gateway, Action<HttpStatusCode?> told)
    {
        using var client = new HttpClient();
        using var interval = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (await interval.WaitForNextTickAsync(Cancellation))
        {
            try
            {
                using var answer = await client.GetAsync(new Uri(gateway, "/health/ready"), Cancellation);
                told(answer.StatusCode);
                if (answer.StatusCode != HttpStatusCode.OK)
                    return;
            }
            catch (HttpRequestException)
            {
                told(null);
                return;
            }
        }
    }
}
