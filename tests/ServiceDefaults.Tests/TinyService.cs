using System.Data.Common;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shop.ServiceDefaults.Authentication;

namespace Shop.ServiceDefaults.Tests;

/// <summary>A service with the defaults and an endpoint for each way to fail, on Kestrel and a port of its own.</summary>
public sealed class TinyService : IAsyncLifetime
{
    public const string SigningKey = "a key for the tests that is long enough";

    private readonly WebApplication _app;

    public TinyService()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = Environments.Development });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["urls"] = "http://127.0.0.1:0",
            ["Authentication:SigningKey"] = SigningKey,
        });
        builder.Logging.ClearProviders();
        builder.Logging.AddProvider(Logs);
        builder.AddServiceDefaults();
        builder.Services.AddHealthChecks()
            .AddCheck("database", () => Ready ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("away"), [HealthEndpoints.ReadyTag]);
        _app = builder.Build();
        _app.Use(async (context, next) =>
        {
            await next(context);
            if (context.Request.Path == "/slow")
                Left.TrySetResult();
        });
        _app.MapServiceDefaults();
        _app.MapPost("/orders", (Order order) => order).AllowAnonymous();
        _app.MapPost("/keyed", ([FromHeader(Name = "Idempotency-Key")] string idempotencyKey) => idempotencyKey).AllowAnonymous();
        _app.MapGet("/orders/{id}", (Guid id) => id).AllowAnonymous();
        _app.MapGet("/page", (int limit, [FromQuery(Name = "after")] long? cursor) => limit + cursor).AllowAnonymous();
        _app.MapGet("/who", (HttpContext context) => context.User.ShopperId()).RequireAuthorization();
        _app.MapGet("/ops", () => "ok").RequireAuthorization(Policies.Operator);
        _app.MapGet("/busy", () => TypedResults.Problem(statusCode: StatusCodes.Status429TooManyRequests)).AllowAnonymous();
        _app.MapGet("/defect", string () => throw new InvalidOperationException("a secret of the database")).AllowAnonymous();
        _app.MapGet("/database-away", string () => throw new InvalidOperationException("wrapped", new TransientException())).AllowAnonymous();
        _app.MapGet("/database-says/{state}", string (string state) => throw new InvalidOperationException("wrapped", new StateException(state))).AllowAnonymous();
        _app.MapGet("/database-defect", string () => throw new PermanentException()).AllowAnonymous();
        _app.MapGet("/invalid", () =>
        {
            var errors = new ValidationErrors();
            errors.Add("lines[0].quantity", "Must be 1 to 1000.");
            errors.Add("lines[0].quantity", "Must be whole.");
            errors.Add("shipTo.city", "Is missing.");
            return errors.ToProblem();
        }).AllowAnonymous();
        _app.MapGet("/slow", async (CancellationToken cancellation) =>
        {
            Arrived.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellation);
        }).AllowAnonymous();
        _app.MapGet("/undecided", () => "open");
        // behind the gateway, which passes the catalogue on
        _app.MapGet("/api/catalog", (int limit = 10, long after = 0) => limit + after).AllowAnonymous();
        _app.MapPost("/api/catalog", (Dictionary<string, string> anything) => anything).AllowAnonymous();
        _app.MapGet("/api/catalog/echo", ([FromHeader(Name = "X-Region")] string region) => region).AllowAnonymous();
    }

    public bool Ready { get; set; } = true;

    public TaskCompletionSource Arrived { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Left { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public CollectedLogs Logs { get; } = new();

    public HttpClient Client { get; } = new();

    public async ValueTask InitializeAsync()
    {
        await _app.StartAsync();
        Client.BaseAddress = new Uri(_app.Urls.Single());
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    public static HttpRequestMessage Get(string path, string? token = null) => new(HttpMethod.Get, path)
    {
        Headers = { Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token) },
    };

    public sealed record Order(IReadOnlyList<Line> Lines, Address ShipTo, Kind Kind = Kind.Plain, string? Note = null, Dictionary<string, string>? Labels = null);

    public sealed record Line(string Sku, int Quantity, decimal Price = 0);

    public sealed record Address(string City);

    public enum Kind { Plain, Gift }

    private sealed class TransientException : DbException
    {
        public override bool IsTransient => true;
    }

    private sealed class PermanentException : DbException;

    private sealed class StateException(string state) : DbException
    {
        public override string SqlState => state;
    }
}
