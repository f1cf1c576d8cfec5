using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Shop.Testing;

namespace Shop.ServiceDefaults.Tests;

/// <summary>What a collector gets when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> names one.</summary>
public sealed partial class TelemetryTests : IAsyncLifetime
{
    private readonly ConcurrentQueue<(string Signal, byte[] Body)> _received = [];
    private readonly WebApplication _collector = Build([]);
    private readonly ActivitySource _source = new("Shop.Tests");
    private WebApplication _service = null!;
    private HttpClient _client = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _collector.MapPost("/v1/{signal}", async (string signal, HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted);
            _received.Enqueue((signal, body.ToArray()));
        });
        await _collector.StartAsync();
        _service = Build(new()
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = _collector.Urls.Single(),
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_SERVICE_NAME"] = "tiny-service",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "20",
            ["OTEL_BLRP_SCHEDULE_DELAY"] = "20",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "100",
        });
        _service.MapServiceDefaults();
        _service.MapGet("/work", (ILogger<TelemetryTests> logger) =>
        {
            using var work = _source.StartActivity("work of the shop");
            using var call = _source.StartActivity("a call for the work", ActivityKind.Client);
            call!.SetTag("db.query.text", "DELETE FROM baskets WHERE id = $1");
            using var scope = logger.BeginScope(new Dictionary<string, object> { ["OrderId"] = "order-4711" });
            Packed(logger, "mug-blue");
            return work!.TraceId.ToString();
        });
        await _service.StartAsync();
        _client = new(new SocketsHttpHandler { ActivityHeadersPropagator = DistributedContextPropagator.CreateNoOutputPropagator() }) { BaseAddress = new(_service.Urls.Single()) };
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _service.DisposeAsync();
        await _collector.DisposeAsync();
        _source.Dispose();
    }

    [Fact]
    public async Task Spans_of_the_shop_and_of_requests_reach_the_collector_under_the_services_name()
    {
        // a worker's poll, which is no part of any work
        using (_source.StartActivity("a poll", ActivityKind.Client))
        using (_source.StartActivity("a part of the poll"))
        {
        }
        await GetAsync("/health/live");
        await GetAsync("/work");

        await HasAsync("traces", "work of the shop", "DELETE baskets", "GET /work", "tiny-service");
        // the span of the server; the client, which is this process too, has one of its own
        Assert.False(Has("traces", "GET /health/live"u8));
        Assert.False(Has("traces", "a poll"u8));
        Assert.False(Has("traces", "a part of the poll"u8));
    }

    [Theory]
    [InlineData("INSERT INTO outbox (id, topic) VALUES ($1, $2)", "INSERT outbox")]
    [InlineData("WITH gone AS (DELETE FROM inbox WHERE id < $1 RETURNING id) SELECT count(*) FROM gone", "DELETE inbox")]
    [InlineData("SELECT o.id, (o.lines ->> 'sku')\nFROM \"orders\" AS o\nWHERE o.id = @id", "SELECT orders")]
    [InlineData("UPDATE stock SET on_hand = $1", "UPDATE stock")]
    [InlineData("select pg_try_advisory_lock($1)", "SELECT pg_try_advisory_lock")]
    [InlineData("LISTEN woken", "postgresql")]
    public void Spans_of_SQL_are_named_after_what_it_does(string text, string name)
    {
        using var names = new QueryNames();
        using var span = new Activity("postgresql").SetTag("db.query.text", text);

        names.OnEnd(span);

        Assert.Equal(name, span.DisplayName);
    }

    [Fact]
    public async Task Logs_are_structured_and_carry_the_trace_they_were_written_in()
    {
        var trace = await GetAsync("/work");

        await HasAsync("logs", "The mug-blue was packed", "The {Sku} was packed", "Sku", "OrderId", "order-4711", "tiny-service");
        await Eventually.BecomesAsync(true, () => Task.FromResult(Has("logs", Convert.FromHexString(trace))));
    }

    [Fact]
    public async Task Metrics_of_the_runtime_and_of_requests_reach_the_collector()
    {
        await GetAsync("/work");

        await HasAsync("metrics", "dotnet.gc.collections", "dotnet.process.memory.working_set", "dotnet.thread_pool.thread.count", "http.server.request.duration");
    }

    /// <summary>Asks as a caller elsewhere does: the instrumentation of this process would make its own span the request's parent.</summary>
    private async Task<string> GetAsync(string path)
    {
        using var elsewhere = SuppressInstrumentationScope.Begin();
        return await _client.GetStringAsync(path, Cancellation);
    }

    [Fact]
    public void Without_a_collector_nothing_is_registered()
    {
        Assert.Null(_collector.Services.GetService<TracerProvider>());
        Assert.Null(_collector.Services.GetService<MeterProvider>());
        Assert.Null(_collector.Services.GetService<LoggerProvider>());
    }

    private Task HasAsync(string signal, params string[] texts) => Eventually.BecomesAsync("", () =>
        Task.FromResult(string.Join(", ", texts.Where(text => !Has(signal, Encoding.UTF8.GetBytes(text))))));

    private bool Has(string signal, ReadOnlySpan<byte> bytes)
    {
        foreach (var (kind, body) in _received)
        {
            if (kind == signal && body.AsSpan().IndexOf(bytes) >= 0)
                return true;
        }

        return false;
    }

    [LoggerMessage(EventName = "Packed", Level = LogLevel.Information, Message = "The {Sku} was packed")]
    private static partial void Packed(ILogger logger, string sku);

    private static WebApplication Build(Dictionary<string, string?> settings)
    {
        settings["urls"] = "http://127.0.0.1:0";
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = Environments.Development });
        builder.Configuration.AddInMemoryCollection(settings);
        // before the defaults, whose own provider is what is looked at
        builder.Logging.ClearProviders();
        builder.AddServiceDefaults(authentication: false);
        return builder.Build();
    }
}
