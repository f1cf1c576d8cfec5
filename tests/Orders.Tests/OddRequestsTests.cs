using System.Net;
using System.Net.Sockets;
using System.Text;
using static Shop.Orders.Tests.Requests;

namespace Shop.Orders.Tests;

/// <summary>What can be odd about a request whichever endpoint it is for: its path, its method, its headers and its token.</summary>
public sealed class OddRequestsTests(OrdersFixture fixture)
{
    /// <summary>Whatever stands for an order's id: 404, or 400 where it is no path; never 5xx, and never somebody's order.</summary>
    [Theory]
    [InlineData("x")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    [InlineData("ffffffff-ffff-ffff-ffff-ffffffffffff")]
    [InlineData("01a2055e20d976acb2d247ee76b48253")]
    [InlineData("{01a2055e-20d9-76ac-b2d2-47ee76b48253}")]
    [InlineData("01a2055e-20d9-76ac-b2d2-47ee76b4825g")]
    [InlineData("%00")]
    [InlineData("01a2055e-20d9-76ac-b2d2-47ee76b48253%00")]
    [InlineData("%ff")]
    [InlineData("%ed%a0%80")]
    [InlineData("..%2f..%2fops")]
    [InlineData("1%27%20OR%20%271%27=%271")]
    public async Task An_id_that_is_none_is_404(string id)
    {
        var service = await fixture.GetAsync();
        foreach (var (method, path) in new[]
        {
            (HttpMethod.Get, $"/api/orders/{id}"), (HttpMethod.Get, $"/api/orders/{id}?at=2999-01-01T00:00:00Z"),
            (HttpMethod.Get, $"/api/orders/{id}/stream"), (HttpMethod.Post, $"/api/orders/{id}/cancel"),
        })
        {
            var answer = await service.Http.SendAsync(NewShopper(), method, path);
            // Kestrel itself refuses a NUL in the path
            Assert.True(answer.Status == (id.Contains("%00", StringComparison.Ordinal) ? HttpStatusCode.BadRequest : HttpStatusCode.NotFound), $"{method} {path}: {answer.Status}");
        }
    }

    [Theory]
    [InlineData("application/json", "{")]
    [InlineData("application/json", "[[[[")]
    [InlineData("text/plain", "cancel it, please")]
    public async Task A_cancellation_needs_no_body_and_does_not_mind_one(string contentType, string body)
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var id = (await service.Http.SubmitAsync(shopper)).Id;

        var answer = await service.Http.SendAsync(shopper, HttpMethod.Post, $"/api/orders/{id}/cancel", "key", new StringContent(body, Encoding.UTF8, contentType));

        Assert.Equal(HttpStatusCode.Accepted, answer.Status);
    }

    [Theory]
    [InlineData("PUT", "/api/orders")]
    [InlineData("DELETE", "/api/orders/01a2055e-20d9-76ac-b2d2-47ee76b48253")]
    [InlineData("POST", "/api/orders/01a2055e-20d9-76ac-b2d2-47ee76b48253/stream")]
    [InlineData("GET", "/api/orders/01a2055e-20d9-76ac-b2d2-47ee76b48253/cancel")]
    [InlineData("POST", "/api/ops/orders")]
    public async Task Another_method_is_405(string method, string path)
    {
        var service = await fixture.GetAsync();

        var answer = await service.Http.SendAsync(NewShopper(), HttpMethod.Parse(method), path);

        Assert.Equal((HttpStatusCode.MethodNotAllowed, "application/problem+json"), (answer.Status, answer.MediaType));
    }

    /// <summary>What HTTP itself does not allow never gets as far as a field: the server refuses the request.</summary>
    [Theory]
    [InlineData("Idempotency-Key: \u00e9", "400")]
    [InlineData("Idempotency-Key: \0", "400")]
    [InlineData("Idempotency-Key: a\rb", "400")]
    [InlineData("Idempotency-Key", "400")]
    [InlineData("Idempotency Key: a", "400")]
    [InlineData("Last-Event-ID: \u00ff\u00fe", "400")]
    [InlineData("Idempotency-Key: +70000", "431")]
    public async Task A_header_that_is_none_is_refused(string header, string status)
    {
        var service = await fixture.GetAsync();
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", service.Http.BaseAddress!.Port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();

        await stream.WriteAsync(Encoding.Latin1.GetBytes($"GET /api/orders HTTP/1.1\r\nHost: shop\r\n{header.Replace("+70000", new('k', 70_000))}\r\n\r\n"), TestContext.Current.CancellationToken);

        using var reader = new StreamReader(stream, Encoding.Latin1);
        Assert.StartsWith($"HTTP/1.1 {status} ", await reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "/api/orders")]
    [InlineData("POST", "/api/orders")]
    [InlineData("GET", "/api/orders/01a2055e-20d9-76ac-b2d2-47ee76b48253")]
    [InlineData("GET", "/api/orders/01a2055e-20d9-76ac-b2d2-47ee76b48253/stream")]
    [InlineData("POST", "/api/orders/01a2055e-20d9-76ac-b2d2-47ee76b48253/cancel")]
    public async Task Without_a_token_it_is_401(string method, string path)
    {
        var service = await fixture.GetAsync();

        var answer = await service.Http.SendAsync(null, HttpMethod.Parse(method), path, "key", method == "POST" ? new StringContent(Body(), Encoding.UTF8, "application/json") : null);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
    }
}
