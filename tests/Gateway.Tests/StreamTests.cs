using System.Net;
using System.Net.Http.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Shop.Gateway.Tests;

/// <summary>Server-sent events pass through the gateway one by one, and it is told when their reader has gone.</summary>
public sealed class StreamTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly Channel<string> _events = Channel.CreateUnbounded<string>();
    private readonly TaskCompletionSource<string> _opened = new(), _left = new();
    private readonly WebApplication _orders;
    private GatewayUnderTest _gateway = null!;

    public StreamTests()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["urls"] = "http://127.0.0.1:0" });
        builder.Logging.ClearProviders();
        _orders = builder.Build();
        _orders.MapGet("/api/orders/42/stream", async (HttpContext context) =>
        {
            context.RequestAborted.Register(() => _left.TrySetResult("left"));
            _opened.TrySetResult(context.Request.Headers["Last-Event-ID"].ToString());
            context.Response.ContentType = "text/event-stream";
            // as Orders does: the gateway passes headers on with the first byte after them
            await context.Response.WriteAsync(":\n", context.RequestAborted);
            await foreach (var text in _events.Reader.ReadAllAsync(context.RequestAborted))
                await context.Response.WriteAsync(text, context.RequestAborted);
        });
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _orders.StartAsync();
        _gateway = new GatewayUnderTest(Environments.Development, ("orders", [_orders.Urls.Single()]), ("inventory", []), ("payments", []), ("activity", []));
    }

    public async ValueTask DisposeAsync()
    {
        _events.Writer.TryComplete();
        await _gateway.DisposeAsync();
        await _orders.DisposeAsync();
    }

    [Fact]
    public async Task Each_event_arrives_before_the_next_is_sent_and_a_reader_that_leaves_is_noticed()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/orders/42/stream");
        request.Headers.Authorization = new("Bearer", await _gateway.TokenAsync("ada"));
        request.Headers.Add("Last-Event-ID", "3");
        // the answer begins before there is an event in it
        var response = await _gateway.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation).WaitAsync(Patience, Cancellation);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal("3", await _opened.Task);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));

        Assert.Equal(":", await reader.ReadLineAsync(Cancellation));
        for (var i = 4; i < 10; i++)
        {
            _events.Writer.TryWrite($"id: {i}\n");
            Assert.Equal($"id: {i}", await reader.ReadLineAsync(Cancellation).AsTask().WaitAsync(Patience, Cancellation));
        }
        response.Dispose();
        await _left.Task.WaitAsync(Patience, Cancellation);
    }

    [Fact]
    public async Task A_stream_ends_with_its_gateway_which_does_not_wait_for_it()
    {
        var gateway = new GatewayUnderTest(Environments.Development, new Dictionary<string, string> { ["shutdownTimeoutSeconds"] = "600" }, ("orders", [_orders.Urls.Single()]));
        using var client = new HttpClient { BaseAddress = gateway.Client.BaseAddress };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/orders/42/stream") { Headers = { { "Authorization", $"Bearer {await gateway.TokenAsync("ada")}" } } };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation).WaitAsync(Patience, Cancellation);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        Assert.Equal(":", await reader.ReadLineAsync(Cancellation));

        var stop = gateway.DisposeAsync().AsTask();

        // its reader is not to think that the order had come to its end
        await Assert.ThrowsAnyAsync<IOException>(() => reader.ReadLineAsync(Cancellation).AsTask().WaitAsync(Patience, Cancellation));
        await _left.Task.WaitAsync(Patience, Cancellation);
        await stop.WaitAsync(Patience, Cancellation);
    }

    [Fact]
    public async Task A_stream_ends_soon_after_the_session_by_which_it_was_opened()
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = _gateway.Client.BaseAddress };
        var cookies = new List<string>();
        foreach (var name in (string[])["ada", "bob"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/session") { Content = JsonContent.Create(new { name }), Headers = { { "X-Anti-Forgery", "1" } } };
            using var signedIn = await client.SendAsync(request, Cancellation);
            cookies.Add(signedIn.Headers.GetValues("Set-Cookie").Single(cookie => cookie.StartsWith("shop_session=", StringComparison.Ordinal)).Split(';')[0]);
        }
        using var adas = await OpenAsync(client, cookies[0]);
        using var bobs = await OpenAsync(client, cookies[1]);

        using (var request = new HttpRequestMessage(HttpMethod.Delete, "/api/session") { Headers = { { "X-Anti-Forgery", "1" }, { "Cookie", cookies[0] } } })
        using (var signedOut = await client.SendAsync(request, Cancellation))
            Assert.Equal(HttpStatusCode.NoContent, signedOut.StatusCode);

        await Assert.ThrowsAnyAsync<IOException>(() => adas.ReadLineAsync(Cancellation).AsTask().WaitAsync(Patience, Cancellation));
        await _left.Task.WaitAsync(Patience, Cancellation);
        _events.Writer.TryWrite("id: 1\n");
        _events.Writer.TryWrite("id: 1\n");
        Assert.Equal("id: 1", await bobs.ReadLineAsync(Cancellation).AsTask().WaitAsync(Patience, Cancellation));
    }

    private static async Task<StreamReader> OpenAsync(HttpClient client, string cookie)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/orders/42/stream") { Headers = { { "Cookie", cookie } } };
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation).WaitAsync(Patience, Cancellation);
        var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        Assert.Equal(":", await reader.ReadLineAsync(Cancellation));
        return reader;
    }
}
