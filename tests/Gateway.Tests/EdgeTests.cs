using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Shop.Testing;

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

    [Theory]
    [InlineData("Orders", "POST", "/api/orders")]
    [InlineData("Activity", "POST", "/api/activity")]
    [InlineData("SignIn", "DELETE", "/api/session")]
    [InlineData("Other", "GET", "/api/catalog")]
    public async Task Twenty_times_what_a_shopper_may_is_429_and_another_meanwhile_is_served_as_ever(string kind, string method, string path)
    {
        const int perSecond = 2, burst = 10, atOnce = 8;
        await using var gateway = Gateway(new() { [$"RateLimits:{kind}:PerSecond"] = $"{perSecond}", [$"RateLimits:{kind}:Burst"] = $"{burst}" });
        // whom the gateway has never seen: their buckets are full
        string ada = TestTokens.Shopper("ada"), bob = TestTokens.Shopper("bob");

        var clock = Stopwatch.StartNew();
        var adas = Task.WhenAll(Enumerable.Range(0, atOnce).Select(_ => ManyAsync(gateway, 20 * burst / atOnce, new(method), path, ada)));
        var bobs = await ManyAsync(gateway, burst, new(method), path, bob);
        var answers = (await adas).SelectMany(some => some).ToList();
        // a bucket gives what was in it and what has come since, rounded up for the refill that is under way
        var most = burst + (int)Math.Ceiling(perSecond * clock.Elapsed.TotalSeconds) + 1;

        Assert.All(bobs, answer => Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}"));
        Assert.InRange(answers.Count(answer => answer.IsSuccessStatusCode), burst, most);
        Assert.All(answers.Where(answer => !answer.IsSuccessStatusCode), refused =>
        {
            Assert.Equal((HttpStatusCode.TooManyRequests, "application/problem+json"), (refused.StatusCode, refused.Content.Headers.ContentType!.MediaType));
            Assert.True(refused.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
        });
        Assert.Contains("Retry-After", (await Problem.ReadAsync(answers.First(answer => !answer.IsSuccessStatusCode), HttpStatusCode.TooManyRequests)).Detail!, StringComparison.Ordinal);
        if (kind != "SignIn")
            Assert.Equal(bobs.Count + answers.Count(answer => answer.IsSuccessStatusCode), _service.Requests.Count);
        // the other limits are as they were
        using var other = await gateway.SendAsync(kind == "Orders" ? HttpMethod.Get : HttpMethod.Post, "/api/orders", ada);
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Fact]
    public async Task Strangers_are_told_apart_by_their_address_which_only_a_known_proxy_may_tell()
    {
        await using var gateway = Gateway(Tight);
        await using var behindProxy = Gateway(new(Tight) { ["KnownProxies:0"] = "127.0.0.1" });

        var claimed = await ManyAsync(gateway, number => $"10.0.0.{number}");
        var told = await ManyAsync(behindProxy, number => $"10.0.0.{number}");
        var alike = await ManyAsync(behindProxy, _ => "10.0.0.44");

        Assert.Contains(HttpStatusCode.TooManyRequests, claimed);
        Assert.DoesNotContain(HttpStatusCode.TooManyRequests, told);
        Assert.Contains(HttpStatusCode.TooManyRequests, alike);
    }

    [Fact]
    public async Task Of_IPv6_a_network_is_one_client_and_known_proxies_may_stand_in_a_row()
    {
        await using var gateway = Gateway(new(Tight) { ["KnownProxies:0"] = "127.0.0.1", ["KnownProxies:1"] = "10.9.9.9" });

        Assert.Contains(HttpStatusCode.TooManyRequests, await ManyAsync(gateway, number => $"2001:db8::{number + 1}"));
        Assert.DoesNotContain(HttpStatusCode.TooManyRequests, await ManyAsync(gateway, number => $"2001:db8:0:{number + 1}::1"));
        Assert.DoesNotContain(HttpStatusCode.TooManyRequests, await ManyAsync(gateway, number => $"10.0.0.{number}, 10.9.9.9"));
        Assert.Contains(HttpStatusCode.TooManyRequests, await ManyAsync(gateway, number => $"10.0.0.{number}, 10.8.8.8, 10.9.9.9"));
    }

    [Fact]
    public async Task Who_comes_back_from_the_authority_too_often_is_429_before_anything_is_read()
    {
        await using var gateway = new GatewayUnderTest(Environments.Production, new Dictionary<string, string> { ["SignIn:ClientId"] = "shop-gateway", ["RateLimits:SignIn:PerSecond"] = "1", ["RateLimits:SignIn:Burst"] = "5" }, ("orders", [_service.Address]));
        foreach (var path in (string[])["/api/session/callback?code=made-up&state=made-up", "/api/session/sign-in?returnTo=//elsewhere"])
        {
            var clock = Stopwatch.StartNew();
            var answers = new List<HttpStatusCode>();
            for (var i = 0; i < 20; i++)
            {
                using var answer = await gateway.GetAsync(path);
                answers.Add(answer.StatusCode);
            }
            Assert.All(answers, status => Assert.True(status is HttpStatusCode.BadRequest or HttpStatusCode.TooManyRequests, $"{status}"));
            Assert.InRange(answers.Count(status => status == HttpStatusCode.BadRequest), 0, 5 + (int)Math.Ceiling(clock.Elapsed.TotalSeconds) + 1);
        }
        using var who = await gateway.GetAsync("/api/session");
        Assert.Equal(HttpStatusCode.OK, who.StatusCode);
    }

    [Fact]
    public async Task A_stranger_who_sends_in_a_devices_name_does_not_silence_it()
    {
        await using var gateway = Gateway(new(Tight) { ["KnownProxies:0"] = "127.0.0.1" });

        Assert.Contains(HttpStatusCode.TooManyRequests, await ReadingsAsync(gateway, _ => "shelf-1/readings", 20, address: "10.0.0.66"));
        Assert.DoesNotContain(HttpStatusCode.TooManyRequests, await ReadingsAsync(gateway, _ => "shelf-1/readings", 3, address: "10.0.0.1"));
    }

    [Fact]
    public async Task A_device_has_one_limit_however_its_path_is_written_and_what_is_beyond_it_is_not_its_addresss()
    {
        await using var gateway = Gateway(new(Tight) { ["RateLimits:Other:PerSecond"] = "1", ["RateLimits:Other:Burst"] = "20" });
        string[] paths = ["shelf-1/readings", "shelf-1/readings/", "shelf-1/Readings", "Shelf-1/readings", "shelf%2D1/readings", "/shelf-1/readings"];

        var clock = Stopwatch.StartNew();
        var one = await ReadingsAsync(gateway, number => paths[number % paths.Length], 60);
        var most = 5 + (int)Math.Ceiling(clock.Elapsed.TotalSeconds) + 1;
        var another = await ReadingsAsync(gateway, _ => "shelf-2/readings", 3);

        Assert.InRange(one.Count(status => status != HttpStatusCode.TooManyRequests), 5, most);
        Assert.DoesNotContain(HttpStatusCode.TooManyRequests, another);
    }

    [Fact]
    public async Task A_device_has_a_limit_of_its_own_and_made_up_names_are_no_way_around_the_addresss()
    {
        await using var gateway = Gateway(new(Tight) { ["RateLimits:Other:PerSecond"] = "1", ["RateLimits:Other:Burst"] = "20" });

        var one = await ReadingsAsync(gateway, _ => "shelf-1/readings", 10);
        var another = await ReadingsAsync(gateway, _ => "shelf-2/readings", 1);
        var madeUp = await ReadingsAsync(gateway, number => $"made-up-{number}/readings", 40);

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
    public async Task What_the_API_answers_is_kept_by_no_cache_unless_its_service_says_otherwise()
    {
        await using var gateway = Gateway([]);
        foreach (var path in (string[])["/api/catalog", "/api/orders", "/api/session", "/api/nothing"])
        {
            using var answer = await gateway.GetAsync(path);
            Assert.Equal((path, "no-store"), (path, answer.Headers.CacheControl?.ToString()));
        }
        _service.CacheControl = "max-age=60";
        using var kept = await gateway.GetAsync("/api/catalog");
        Assert.Equal("max-age=60", kept.Headers.CacheControl?.ToString());
    }

    [Theory]
    [InlineData("/", false)]
    [InlineData("/store/index.html", false)]
    [InlineData("/health/live", false)]
    [InlineData("/api/catalog", true)]
    public async Task A_browser_is_given_its_id_with_an_answer_that_is_its_own(string path, bool given)
    {
        await using var gateway = Gateway([]);
        using var answer = await gateway.GetAsync(path);
        Assert.Equal((HttpStatusCode.OK, given), (answer.StatusCode, answer.Headers.TryGetValues("Set-Cookie", out var cookies) && cookies.Any(cookie => cookie.StartsWith("shop_device=", StringComparison.Ordinal))));
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
        new(Environments.Development, new Dictionary<string, string>(settings) { ["Authentication:SigningKey"] = TestTokens.SigningKey }, ("inventory", [_service.Address]), ("orders", [_service.Address]), ("payments", [_service.Address]), ("activity", [_service.Address]));

    private static async Task<List<HttpResponseMessage>> ManyAsync(GatewayUnderTest gateway, int count, HttpMethod method, string path, string token)
    {
        var answers = new List<HttpResponseMessage>();
        for (var i = 0; i < count; i++)
        {
            using var request = new HttpRequestMessage(method, path) { Headers = { { "Authorization", $"Bearer {token}" }, { "X-Anti-Forgery", "1" } } };
            answers.Add(await gateway.Client.SendAsync(request, TestContext.Current.CancellationToken));
        }
        return answers;
    }

    private static Task<HttpStatusCode[]> ManyAsync(GatewayUnderTest gateway, Func<int, string> addressOf) =>
        AtOnceAsync(gateway, 20, _ => "/api/orders", addressOf);

    private static Task<HttpStatusCode[]> ReadingsAsync(GatewayUnderTest gateway, Func<int, string> pathOf, int count, string? address = null) =>
        AtOnceAsync(gateway, count, number => $"/api/devices/{pathOf(number)}", _ => address);

    /// <summary>Not one after the other: who sends slowly enough may send for ever.</summary>
    private static Task<HttpStatusCode[]> AtOnceAsync(GatewayUnderTest gateway, int count, Func<int, string> pathOf, Func<int, string?> addressOf) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(async number =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, pathOf(number));
            if (addressOf(number) is { } address)
                request.Headers.Add("X-Forwarded-For", address);
            using var answer = await gateway.Client.SendAsync(request, TestContext.Current.CancellationToken);
            return answer.StatusCode;
        }));

    private static async Task<string?> AllowedAsync(GatewayUnderTest gateway, string origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/catalog") { Headers = { { "Origin", origin } } };
        using var answer = await gateway.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return answer.Headers.TryGetValues("Access-Control-Allow-Origin", out var allowed) ? allowed.Single() : null;
    }
}
