using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Shop.AppHost.Running;

namespace Shop.Gateway.Tests;

/// <summary>A service behind the gateway that remembers what it was asked and repeats it.</summary>
public sealed class FakeService : IAsyncLifetime
{
    private readonly WebApplication _app;
    private int _readinessAsked;

    /// <param name="address">Where it listens; where none is given a port of its own, which nobody takes when it goes away.</param>
    public FakeService(string? address = null)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["urls"] = address ?? $"http://127.0.0.1:{Ports.Free()}" });
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.MapGet("/health/ready", () =>
        {
            Interlocked.Increment(ref _readinessAsked);
            return Ready ? Results.Ok() : Results.StatusCode(503);
        });
        _app.MapGet("/openapi/v1.json", () => Document is { } document ? Results.Text(document, "application/json") : Results.NotFound());
        _app.MapFallback(async (HttpContext context) =>
        {
            using var reader = new StreamReader(context.Request.Body);
            var seen = new Seen(
                context.Request.Method,
                context.Request.Path + context.Request.QueryString,
                context.Request.Headers.Authorization.ToString(),
                await reader.ReadToEndAsync(),
                context.Request.Headers.Cookie.ToString());
            Requests.Enqueue(seen);
            await Task.Delay(Takes, context.RequestAborted);
            if (CacheControl is { } caching)
                context.Response.Headers.CacheControl = caching;
            if (Answers.TryGetValue(context.Request.Path, out var answer))
                return Results.Text(answer, "application/json");
            return Results.Json(seen, statusCode: (int)Answer);
        });
    }

    public sealed record Seen(string Method, string Path, string Authorization, string Body, string Cookie = "");

    public ConcurrentQueue<Seen> Requests { get; } = [];

    /// <summary>What it answers at some paths, as JSON.</summary>
    public ConcurrentDictionary<string, string> Answers { get; } = [];

    public bool Ready { get; set; } = true;

    /// <summary>How often it was asked whether it is ready.</summary>
    public int ReadinessAsked => _readinessAsked;

    /// <summary>How long its answers take.</summary>
    public TimeSpan Takes { get; set; }

    /// <summary>What it says of keeping its answers.</summary>
    public string? CacheControl { get; set; }

    /// <summary>Its OpenAPI document.</summary>
    public string? Document { get; set; }

    public HttpStatusCode Answer { get; set; } = HttpStatusCode.OK;

    public string Address { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        await _app.StartAsync();
        Address = _app.Urls.Single();
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    /// <summary>Goes away: its port refuses connections from now on.</summary>
    public Task StopAsync() => _app.StopAsync();
}
