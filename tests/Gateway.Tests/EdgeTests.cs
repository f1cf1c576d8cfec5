using System.Net;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Shop.Gateway.Tests;

/// <summary>Who asks too often, who claims to be another, and what browsers are told.</summary>
public sealed class EdgeTests : IAsyncLifetime
{
    // nothing comes back while a test lasts
    private static readonly Dictionary<string, string> Tight = new()
    {
        ["RateLimits:Orders:PerSecond"] = "1",
        ["RateLimits:Orders:Burst"] = "5",
        ["RateLimits:Activity:PerSecond"] = "1",
        ["RateLimits:Activity:Burst"] = "5",
        ["RateLimits:Devices:PerSecond"] = "1",
        ["RateLimits:Devices:Burst"] = "5",
    };

    private readonly FakeService _service = new();

    public ValueTask InitializeAsync() => _service.InitializeAsync();

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task Twenty_times_the_allowed_orders_are_429_and_others_order_and_read_as_ever()
    {
        await using var gateway = Gateway(Tight);
        string ada = await gateway.TokenAsync("ada"), bob = await gateway.TokenAsync("bob");

        var answers = new List<HttpResponseMessage>();
        for (var i = 0; i < 100; i++)
            answers.Add(await gateway.SendAsync(HttpMethod.Post, "/api/orders", ada));

        var refused = answers.Where(answer => answer.StatusCode == HttpStatusCode.TooManyRequests).ToList();
        Assert.InRange(answers.Count(answer => answer.StatusCode == HttpStatusCode.OK), 5, 100 - 20);
        Assert.Equal(100, refused.Count + answers.Count(answer => answer.StatusCode == HttpStatusCode.OK));
        Assert.Equal("application/problem+json", refused[0].Content.Headers.ContentType!.MediaType);
        Assert.True(refused[0].Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
        Assert.Equal(answers.Count - refused.Count, _service.Requests.Count);
        using var another = await gateway.SendAsync(HttpMethod.Post, "/api/orders", bob);
        using var read = await gateway.GetAsync("/api/orders", ada);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (another.StatusCode, read.StatusCode));
    }

    [Fact]
    public async Task Strangers_are_told_apart_by_their_address_which_only_a_known_proxy_may_tell()
    {
        await using var gateway = Gateway(Tight);
        await using var behindProxy = Gateway(new(Tight) { ["KnownProxies:0"] = "127.0.0.1" });

        var claimed = await ManyAsync(gateway, address => address);
        var told = await ManyAsync(behindProxy, address => address);
        var alike = await ManyAsync(behindProxy, _ => 300);

        Assert.Contains(HttpStatusCode.TooManyRequests, claimed);
        Assert.DoesNotContain(HttpStatusCode.TooManyRequests, told);
        Assert.Contains(HttpStatusCode.TooManyRequests, alike);
    }

    [Fact]
    public async Task A_device_has_a_limit_of_its_own_and_made_up_names_are_no_way_around_the_addresss()
    {
        await using var gateway = Gateway(new(Tight) { ["RateLimits:Other:PerSecond"] = "1", ["RateLimits:Other:Burst"] = "20" });

        var one = await ReadingsAsync(gateway, _ => "shelf-1", 10);
        var another = await ReadingsAsync(gateway, _ => "shelf-2", 1);
        var madeUp = await ReadingsAsync(gateway, number => $"made-up-{number}", 40);

        Assert.Contains(HttpStatusCode.TooManyRequests, one);
        Assert.DoesNotContain(HttpStatusCode.TooManyRequests, another);
        Assert.Contains(HttpStatusCode.TooManyRequests, madeUp);
    }

    [Fact]
    public async Task Answers_errors_and_refusals_carry_the_security_headers()
    {
        await using var gateway = Gateway(Tight);
        var paths = new[] { "/api/catalog", "/nowhere", "/api/orders", "/health/live" };
        foreach (var path in paths)
        {
            using var answer = await gateway.GetAsync(path);
            Assert.Equal("default-src 'none'; frame-ancestors 'none'", answer.Headers.GetValues("Content-Security-Policy").Single());
            Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.Equal("no-referrer", answer.Headers.GetValues("Referrer-Policy").Single());
            Assert.False(answer.Headers.Contains("Server"));
            Assert.False(answer.Headers.Contains("Strict-Transport-Security"));
        }
    }

    [Fact]
    public async Task Pages_of_other_origins_may_ask_only_where_a_setting_says_so()
    {
        await using var closed = Gateway([]);
        await using var open = Gateway(new() { ["AllowedOrigins:0"] = "https://shop.example" });

        Assert.Null(await AllowedAsync(closed, "https://shop.example"));
        Assert.Equal("https://shop.example", await AllowedAsync(open, "https://shop.example"));
        Assert.Null(await AllowedAsync(open, "https://other.example"));
    }

    [Theory]
    [InlineData("RateLimits:Orders:PerSecond", "0")]
    [InlineData("RateLimits:Other:Burst", "-1")]
    public void A_limit_that_is_none_is_said_at_the_start(string key, string value)
    {
        var failure = Assert.Throws<OptionsValidationException>(() => Gateway(new() { [key] = value }));
        Assert.Contains("PerSecond and Burst", failure.Message, StringComparison.Ordinal);
    }

    private GatewayUnderTest Gateway(Dictionary<string, string> settings) =>
        new(Environments.Development, settings, ("inventory", [_service.Address]), ("orders", [_service.Address]), ("payments", [_service.Address]), ("activity", [_service.Address]));

    private static async Task<List<HttpStatusCode>> ManyAsync(GatewayUnderTest gateway, Func<int, int> addressOf)
    {
        var answers = new List<HttpStatusCode>();
        for (var i = 0; i < 20; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders") { Headers = { { "X-Forwarded-For", $"10.0.0.{addressOf(i) % 256}" } } };
            using var answer = await gateway.Client.SendAsync(request, TestContext.Current.CancellationToken);
            answers.Add(answer.StatusCode);
        }
        return answers;
    }

    private static async Task<List<HttpStatusCode>> ReadingsAsync(GatewayUnderTest gateway, Func<int, string> sensorOf, int count)
    {
        var answers = new List<HttpStatusCode>();
        for (var i = 0; i < count; i++)
        {
            using var answer = await gateway.SendAsync(HttpMethod.Post, $"/api/devices/{sensorOf(i)}/readings");
            answers.Add(answer.StatusCode);
        }
        return answers;
    }

    private static async Task<string?> AllowedAsync(GatewayUnderTest gateway, string origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/catalog") { Headers = { { "Origin", origin } } };
        using var answer = await gateway.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return answer.Headers.TryGetValues("Access-Control-Allow-Origin", out var allowed) ? allowed.Single() : null;
    }
}
