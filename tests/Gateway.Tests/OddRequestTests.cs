using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Shop.Gateway.Tests;

/// <summary>Whatever bytes a client sends through the gateway, the answer is none of the server's faults, and the service behind stays in use.</summary>
public sealed class OddRequestTests : IAsyncLifetime
{
    private readonly TinyService _service = new();
    private GatewayUnderTest _gateway = null!;

    /// <summary>Each through a route that anyone may use; <c>{path}</c> is one.</summary>
    public static TheoryData<string> Requests { get; } =
    [
        "GET {path} HTTP/1.1\r\nHost: shop\r\nCookie: name=José\r\n",
        "GET {path} HTTP/1.1\r\nHost: shop\r\nUser-Agent: Café/1.0\r\nX-Region: Île-de-France, 日本\r\n",
        "GET {path} HTTP/1.1\r\nHost: shop\r\nX-Latin: \u00ff\u00fe\r\n",
        "GET {path} HTTP/1.1\r\nHost: shop\r\nIf-Match: é\r\nContent-Language: é\r\n",
        "GET {path} HTTP/1.1\r\nHost: shöp\r\n",
        "GET {path} HTTP/1.1\r\nHost: shop\r\nX-Control: a\u0001b\u007f\tc\r\n",
        "GET {path} HTTP/1.1\r\nHost: shop\r\nX-Nul: a\0b\r\n",
        "GET {path} HTTP/1.1\r\nHost: shop\r\nÜber: x\r\n",
        "GET {path} HTTP/1.1\r\nHost: shop\r\n: x\r\n",
        "GET {path} HTTP/1.1\r\nHost: shop\r\nX-Folded: a\r\n b\r\n",
        "GET {path} HTTP/1.1\r\nHost: a\r\nHost: b\r\n",
        "GET {path} HTTP/1.1\r\n",
        "GET {path} HTTP/1.0\r\n",
        "GET {path} HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        "GET {path} HTTP/1.1\r\nHost: shop\r\nRange: bytes=9-1,x\r\n",
        "GET / HTTP/1.1\r\nHost: shop\r\nRange: bytes=99999999999999999999-\r\n",
        "GET / HTTP/1.1\r\nHost: shop\r\nIf-Modified-Since: yesterday\r\nIf-None-Match: \"\r\n",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nExpect: a miracle\r\nContent-Length: 2\r\n\r\n{}",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nContent-Length: 2, 2\r\n\r\n{}",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nContent-Length: -1\r\n",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nContent-Length: 99999999999999999999\r\n",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nContent-Length: 9223372036854775807\r\n",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: gzip\r\n",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFF\r\n{}",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFFFFFFFF\r\n{}",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n80000000\r\n{}",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}X\r\n0\r\n",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n2;name=\"\u0001\"\r\n{}\r\n0\r\nTrailer: é\r\n",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json; charset=\"utf-8\"\r\nContent-Length: 2\r\n\r\n{}",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json; charset=\"utf\\-8\"\r\nContent-Length: 2\r\n\r\n{}",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json; charset=\r\nContent-Length: 2\r\n\r\n{}",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json; charset=\"klingon\r\nContent-Length: 2\r\n\r\n{}",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nContent-Type: é/é\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}",
        "GET {path} HTTP/1.1\r\nHost: shop\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 99\r\n",
        "GET {path} HTTP/1.1\r\nHost: shop\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: é\r\n",
        "GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: {header}\r\nTE: trailers, é\r\nKeep-Alive: -1\r\n",
        "GET {path} HTTP/1.1\r\nHost: shop\r\ntraceparent: 00-\u0001-é-zz\r\ntracestate: =,=,é\r\nbaggage: é=é;\r\n",
        "GET {path} HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: é\r\nX-Forwarded-Proto: gopher\r\nForwarded: for=\"\r\n",
        "GET {path} HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer é.é.é\r\n",
        "GET {path} HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer a.b.c\r\nAuthorization: Basic x\r\n",
        "GET {path}%00 HTTP/1.1\r\nHost: shop\r\n",
        "GET {path}/%ff%c3%28%ed%a0%80 HTTP/1.1\r\nHost: shop\r\n",
        "GET {path}/%zz%2 HTTP/1.1\r\nHost: shop\r\n",
        "GET {path}/é HTTP/1.1\r\nHost: shop\r\n",
        "GET {path}/..%2f..%5c\\{}|^\"<> HTTP/1.1\r\nHost: shop\r\n",
        "GET {path}?limit=%00&a%00=b HTTP/1.1\r\nHost: shop\r\n",
        "GET {path}?limit=%ff%ed%a0%80&%zz=%&&&== HTTP/1.1\r\nHost: shop\r\n",
        "GET {path}?limit=99999999999999999999999999&after=-9223372036854775809 HTTP/1.1\r\nHost: shop\r\n",
        "GET {path}?limit=1e400&limit=NaN&after=0x7f HTTP/1.1\r\nHost: shop\r\n",
        "GET {path}?search=é HTTP/1.1\r\nHost: shop\r\n",
        "GET {path}#fragment HTTP/1.1\r\nHost: shop\r\n",
        "GET http://[::1{path} HTTP/1.1\r\nHost: shop\r\n",
        "GET http://other{path} HTTP/1.1\r\nHost: shop\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: shop\r\n",
        "CONNECT shop:80 HTTP/1.1\r\nHost: shop:80\r\n",
        "CONNECT {path} HTTP/1.1\r\nHost: shop\r\n",
        "TRACE {path} HTTP/1.1\r\nHost: shop\r\n",
        "TRACE {path} HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\n{}",
        "HEAD {path} HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\n{}",
        "get {path} HTTP/1.1\r\nHost: shop\r\n",
        "G@T {path} HTTP/1.1\r\nHost: shop\r\n",
        "SÜCH {path} HTTP/1.1\r\nHost: shop\r\n",
        "GET {path} HTTP/1.1\r\nHost: shop\r\nX-Long: {long}\r\n",
        "GET {path}/{long} HTTP/1.1\r\nHost: shop\r\n",
        "GET {path}?search={long} HTTP/1.1\r\nHost: shop\r\n",
        "POST {path} HTTP/1.1\r\nHost: shop\r\nX-AlmostTooLong: {almost}\r\nContent-Length: 2\r\n\r\n{}",
        "GET {path}/{braces} HTTP/1.1\r\nHost: shop\r\n",
        "GET {path} HTTP/1.1\r\nHost: shop\r\n{headers}",
        "GET {path} HTTP/1.1\r\nHost: shop\r\nAccept: é\r\nAccept-Encoding: zstd;q=é\r\nAccept-Charset: utf-16\r\n",
        "\0\u0001\u0002\u0003\r\n",
        "\u0016\u0003\u0001\u0002\0",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n",
    ];

    public async ValueTask InitializeAsync()
    {
        await _service.InitializeAsync();
        _gateway = new GatewayUnderTest(Environments.Development, ("inventory", [_service.Client.BaseAddress!.ToString()]));
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _service.DisposeAsync();
    }

    [Theory, MemberData(nameof(Requests))]
    public async Task The_answer_is_no_5xx_and_the_service_stays_in_use(string request)
    {
        foreach (var address in new[] { _gateway.Client.BaseAddress!, _service.Client.BaseAddress! })
        {
            var status = await StatusAsync(address, request);
            // a connection closed without an answer is what no HTTP at all deserves
            Assert.True(status is >= 100 and < 500 || (status is null && !request.Contains("HTTP/1.", StringComparison.Ordinal)), $"{status?.ToString() ?? "nothing"} from {(address == _gateway.Client.BaseAddress ? "the gateway" : "the service")}");
        }

        Assert.True(_gateway.Services.GetRequiredService<IProxyStateLookup>().TryGetCluster("inventory", out var cluster));
        Assert.All(cluster.Destinations.Values, destination => Assert.NotEqual(DestinationHealth.Unhealthy, destination.Health.Passive));
        Assert.Empty(_service.Logs.Errors);
    }

    [Fact]
    public async Task Letters_beyond_ASCII_arrive_as_they_were_sent()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/catalog/echo");
        request.Headers.TryAddWithoutValidation("X-Region", "Île-de-France, 日本");
        using var client = new HttpClient(new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8 }) { BaseAddress = _gateway.Client.BaseAddress };
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal("Île-de-France, 日本", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>The status of the answer to the request, which is sent as it is; null where the connection was closed without one.</summary>
    private static async Task<int?> StatusAsync(Uri address, string request)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var text = request.Replace("{path}", "/api/catalog", StringComparison.Ordinal)
            .Replace("{long}", new string('x', 40_000), StringComparison.Ordinal)
            .Replace("{almost}", new string('x', 32_000), StringComparison.Ordinal)
            .Replace("{braces}", new string('|', 7_000), StringComparison.Ordinal)
            .Replace("{header}", "X-Forwarded-For, Content-Length, Host", StringComparison.Ordinal)
            .Replace("{headers}", string.Concat(Enumerable.Range(0, 99).Select(i => $"X-{i}: x\r\n")), StringComparison.Ordinal);
        using var socket = new TcpClient();
        await socket.ConnectAsync(address.Host, address.Port, cancellation);
        await using var stream = socket.GetStream();
        // U+00FE and U+00FF stand for the bytes that no UTF-8 has
        byte[] bytes = [.. text.SelectMany(letter => letter is '\u00fe' or '\u00ff' ? [(byte)letter] : Encoding.UTF8.GetBytes([letter])), .. "\r\n"u8];
        try
        {
            await stream.WriteAsync(bytes, cancellation);
            var answer = new byte[64];
            var read = await stream.ReadAtLeastAsync(answer, 12, throwOnEndOfStream: false, cancellation);
            var line = Encoding.ASCII.GetString(answer, 0, read);
            return line.StartsWith("HTTP/1.", StringComparison.Ordinal) ? int.Parse(line.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture) : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
