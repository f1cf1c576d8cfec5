using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Shop.ServiceDefaults.Tests;

/// <summary>What a collector gets when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> names one.</summary>
public sealed class TelemetryTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Spans_of_the_shop_and_of_requests_reach_the_collector_under_the_services_name()
    {
        var received = new ConcurrentQueue<string>();
        await using var collector = Build([]);
        collector.MapPost("/v1/traces", async (HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted);
            received.Enqueue(Encoding.UTF8.GetString(body.ToArray()));
        });
        await collector.StartAsync(Cancellation);

        await using var service = Build(new()
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Urls.Single(),
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_SERVICE_NAME"] = "tiny-service",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "20",
        });
        service.MapServiceDefaults();
        using var source = new ActivitySource("Shop.Tests");
        service.MapGet("/work", () =>
        {
            using var work = source.StartActivity("work of the shop");
        });
        await service.StartAsync(Cancellation);
        using var client = new HttpClient { BaseAddress = new Uri(service.Urls.Single()) };
        using var health = await client.GetAsync("/health/live", Cancellation);
        using var response = await client.GetAsync("/work", Cancellation);

        var deadline = DateTime.UtcNow.AddMinutes(1);
        while (!Has("work of the shop") || !Has("GET /work"))
        {
            Assert.True(DateTime.UtcNow < deadline, "No spans in time.");
            await Task.Delay(20, Cancellation);
        }

        Assert.True(Has("tiny-service"));
        // the span of the server; the client, which is this process too, has one of its own
        Assert.False(Has("GET /health/live"));

        bool Has(string text) => received.Any(body => body.Contains(text, StringComparison.Ordinal));
    }

    private static WebApplication Build(Dictionary<string, string?> settings)
    {
        settings["urls"] = "http://127.0.0.1:0";
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = Environments.Development });
        builder.Configuration.AddInMemoryCollection(settings);
        builder.AddServiceDefaults(authentication: false);
        builder.Logging.ClearProviders();
        return builder.Build();
    }
}
