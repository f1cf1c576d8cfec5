using System.Net;
using Microsoft.Extensions.Hosting;
using Shop.Testing;
using Shop.Testing.Routes;

namespace Shop.Gateway.Tests;

/// <summary>Who may use which route of the gateway, its own and those that it passes on.</summary>
public sealed class AuthorisationTests : IAsyncLifetime
{
    private static readonly string[] Services = ["orders", "inventory", "payments", "activity"];

    private readonly FakeService _service = new() { Document = "{}" };

    public ValueTask InitializeAsync() => _service.InitializeAsync();

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task Every_route_answers_every_caller_as_its_row_says()
    {
        await using var gateway = new GatewayUnderTest(Environments.Development, new() { ["Authentication:SigningKey"] = TestTokens.SigningKey },
            [.. Services.Append("payment-provider").Select(name => (name, new[] { _service.Address }))]);
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = gateway.Client.BaseAddress };
        await new AuthorisationMatrix(gateway.Services, client).HoldsAsync(
        [
            .. AuthorisationMatrix.OfEveryProcess,
            new("GET /openapi/v1.json", Access.Anyone, 200),
            new("GET /docs/{documentName?}", Access.Anyone, 200, "/docs/"),
            .. ((string[])["scalar.js", "scalar.aspnetcore.js", "favicon.svg"]).Select(file => new RouteRow($"GET /docs/{file}", Access.Anyone, 200)),
            new("POST /api/dev/token", Access.Anyone, 200, Body: """{"name":"ada"}"""),
            new("GET /api/session", Access.Anyone, 200),
            new("POST /api/session", Access.Anyone, 200, Body: """{"name":"ada"}"""),
            new("DELETE /api/session", Access.Anyone, 204),
            PassedOn("/api/catalog", Access.Anyone), PassedOn("/api/stock", Access.Anyone), PassedOn("/api/devices", Access.Anyone),
            PassedOn("/api/orders", Access.SignedIn),
            new("ANY /api/activity", Access.Anyone, 200), PassedOn("/api/activity", Access.Operator, "/api/activity/feed"),
            PassedOn("/api/ops/stock"), PassedOn("/api/ops/products"), PassedOn("/api/ops/sensors"), PassedOn("/api/ops/orders"), PassedOn("/api/ops/reviews"),
            PassedOn("/api/ops/fraud"), new("ANY /api/ops/payments/reconciliation", Access.Operator, 200), new("ANY /api/ops/payments/{id}", Access.Operator, 200, $"/api/ops/payments/{Guid.Empty}"), new("ANY /api/ops/activity/rebuild", Access.Operator, 200),
            PassedOn("/api/ops/logs"), PassedOn("/api/ops/alarms"),
            new("GET /api/ops/flow", Access.Operator, 200),
            new("GET /api/ops/faults/payment-provider", Access.Operator, 200),
            new("PUT /api/ops/faults/payment-provider", Access.Operator, 400, Body: """{"answerDelaySeconds":-1}"""),
            .. new[] { "inventory", "payments", "activity" }.SelectMany(service => new[] { new($"ANY /api/ops/{service}/flow", Access.Operator, 200), PassedOn($"/api/ops/{service}/dead-letters"), PassedOn($"/api/ops/{service}/refused-events") }),
        ]);
    }

    [Fact]
    public async Task What_nobody_may_use_reaches_no_service()
    {
        await using var gateway = new GatewayUnderTest(Environments.Development, [.. Services.Select(name => (name, new[] { _service.Address }))]);
        using var refused = await gateway.GetAsync("/api/ops/orders", CallerTokens.Of(Caller.WrongKey));
        Assert.Equal((HttpStatusCode.Unauthorized, 0), (refused.StatusCode, _service.Requests.Count));
    }

    private static RouteRow PassedOn(string path, Access access = Access.Operator, string? asked = null) => new($"ANY {path}/{{rest}}", access, 200, asked ?? path);
}
