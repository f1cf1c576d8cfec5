using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Shop.Testing;

namespace Shop.ServiceDefaults.Tests;

/// <summary>A process that is told to stop while it is asked things.</summary>
public sealed class DrainingTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly TaskCompletionSource _arrived = new(), _release = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_is_first_not_ready_and_serves_then_takes_nothing_more_and_ends_what_is_under_way()
    {
        await using var service = await StartAsync(Environments.Production);
        using var client = new HttpClient { BaseAddress = new(service.Urls.Single()) };
        var underWay = client.GetStringAsync("/long", Cancellation);
        await _arrived.Task.WaitAsync(Cancellation);
        using (var ready = await client.GetAsync("/health/ready", Cancellation))
            Assert.Equal((HttpStatusCode.OK, null), (ready.StatusCode, ready.Headers.ConnectionClose));

        var stop = service.StopAsync(Cancellation);
        var over = service.Services.GetRequiredService<Draining>().Over;
        _time.Advance(TimeSpan.FromSeconds(4.9));
        using (var ready = await client.GetAsync("/health/ready", Cancellation))
            Assert.Equal((HttpStatusCode.ServiceUnavailable, true), (ready.StatusCode, ready.Headers.ConnectionClose));
        using (var live = await client.GetAsync("/health/live", Cancellation))
            Assert.Equal((HttpStatusCode.OK, true), (live.StatusCode, live.Headers.ConnectionClose));
        Assert.False(over.IsCancellationRequested);

        _time.Advance(TimeSpan.FromSeconds(0.1));
        await Eventually.BecomesTrueAsync(() => Connecting.IsRefusedAsync(client.BaseAddress, Cancellation));
        Assert.Equal((true, false, false), (over.IsCancellationRequested, underWay.IsCompleted, stop.IsCompleted));
        _release.SetResult();
        Assert.Equal("done", await underWay);
        await stop;
    }

    [Theory, InlineData("Development", null), InlineData("Production", "00:00:00")]
    public async Task In_Development_and_where_a_setting_says_so_it_stops_at_once(string environment, string? delay)
    {
        await using var service = await StartAsync(environment, delay);
        // no time passes
        await service.StopAsync(Cancellation).WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        Assert.True(service.Services.GetRequiredService<Draining>().Over.IsCancellationRequested);
    }

    [Fact]
    public async Task A_negative_time_is_said_at_the_start()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(Environments.Production, "-00:00:01"));
        Assert.Contains("Draining:Delay", failure.Message, StringComparison.Ordinal);
    }

    private async Task<WebApplication> StartAsync(string environment, string? delay = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["urls"] = "http://127.0.0.1:0", ["Draining:Delay"] = delay });
        builder.Logging.ClearProviders();
        builder.AddServiceDefaults(authentication: false);
        builder.Services.AddSingleton<TimeProvider>(_time);
        var service = builder.Build();
        service.MapServiceDefaults();
        service.MapGet("/long", async () =>
        {
            _arrived.SetResult();
            await _release.Task;
            return "done";
        });
        await service.StartAsync(Cancellation);
        return service;
    }
}
