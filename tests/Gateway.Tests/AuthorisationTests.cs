using System.Net;
using System.Text;
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

    [Theory]
    [InlineData("GET", "/api/catalog", 200, 200, 200)]
    [InlineData("GET", "/api/session", 200, 200, 200)]
    [InlineData("POST", "/api/activity", 200, 200, 200)]
    [InlineData("POST", "/api/devices/shelf-1/readings", 200, 200, 200)]
    [InlineData("GET", "/api/orders", 401, 200, 200)]
    [InlineData("POST", "/api/orders", 401, 200, 200)]
    [InlineData("GET", "/api/activity/feed", 401, 403, 200)]
    [InlineData("GET", "/api/ops/orders", 401, 403, 200)]
    [InlineData("PUT", "/api/ops/products/mug-blue", 401, 403, 200)]
    [InlineData("POST", "/api/ops/payments/reconciliation", 401, 403, 200)]
    [InlineData("GET", "/api/ops/logs", 401, 403, 200)]
    [InlineData("GET", "/api/ops/flow", 401, 403, 200)]
    [InlineData("PUT", "/api/ops/faults/payment-provider", 401, 403, 400)]
    public async Task By_cookie_a_route_answers_as_by_token(string method, string path, int nobody, int shopper, int @operator)
    {
        await using var gateway = new GatewayUnderTest(Environments.Development, [.. Services.Append("payment-provider").Select(name => (name, new[] { _service.Address }))]);
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = gateway.Client.BaseAddress };
        var ended = await SignInAsync(client, """{"name":"olga","roles":["operator"]}""");
        using (var signedOut = await SendAsync(client, HttpMethod.Delete, "/api/session", ended))
            Assert.Equal(HttpStatusCode.NoContent, signedOut.StatusCode);
        (string Cookie, int Status)[] callers =
        [
            ("shop_session=made-up", nobody), (ended, nobody),
            (await SignInAsync(client, """{"name":"ada"}"""), shopper), (await SignInAsync(client, """{"name":"olga","roles":["operator"]}"""), @operator),
        ];

        foreach (var (cookie, status) in callers)
        {
            using var answer = await SendAsync(client, new(method), path, cookie, """{"answerDelaySeconds":-1}""");
            Assert.Equal((cookie, status), (cookie, (int)answer.StatusCode));
            if (method == "GET" || status is 401 or 403)
                continue;
            using var forged = await SendAsync(client, new(method), path, cookie, """{"answerDelaySeconds":-1}""", header: null);
            // who is nobody is nobody's cookie
            Assert.Equal((cookie, cookie == callers[0].Cookie || cookie == ended ? status : 400), (cookie, (int)forged.StatusCode));
        }
    }

    private static async Task<string> SignInAsync(HttpClient client, string who)
    {
        using var answer = await SendAsync(client, HttpMethod.Post, "/api/session", null, who);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return answer.Headers.GetValues("Set-Cookie").Single(cookie => cookie.StartsWith("shop_session=", StringComparison.Ordinal)).Split(';')[0];
    }

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, HttpMethod method, string path, string? cookie, string? body = null, string? header = "1")
    {
        var request = new HttpRequestMessage(method, path) { Content = body is null || method == HttpMethod.Get ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        if (cookie is not null)
            request.Headers.Add("Cookie", cookie);
        if (header is not null)
            request.Headers.Add("X-Anti-Forgery", header);
        return client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static RouteRow PassedOn(string path, Access access = Access.Operator, string? asked = null) => new($"ANY {path}/{{rest}}", access, 200, asked ?? path);
}
