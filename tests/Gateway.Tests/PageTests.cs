using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Hosting;

namespace Shop.Gateway.Tests;

/// <summary>The pages of the store and of the control room, and what they load.</summary>
public sealed partial class PageTests : IAsyncDisposable
{
    // as Chromium asks for what stands in its address bar
    private const string Browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

    private readonly GatewayUnderTest _gateway = new(Environments.Development);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Theory]
    [InlineData("/")]
    [InlineData("/?q=mug")]
    [InlineData("/products/mug-blue")]
    [InlineData("/basket")]
    [InlineData("/checkout")]
    [InlineData("/orders?status=fulfilled")]
    [InlineData("/orders/0199c7a2-0000-7000-8000-000000000000")]
    [InlineData("/sign-in?return=%2Fcheckout")]
    [InlineData("/control")]
    [InlineData("/control/orders?status=cancelled")]
    [InlineData("/control/orders/0199c7a2-0000-7000-8000-000000000000")]
    [InlineData("/control/stock")]
    [InlineData("/control/stock/mug-blue")]
    [InlineData("/control/sensors")]
    [InlineData("/control/payments")]
    [InlineData("/control/messages?service=orders")]
    [InlineData("/control/activity")]
    [InlineData("/control/logs?level=error")]
    [InlineData("/control/faults")]
    public async Task Each_address_is_served_with_a_policy_that_lets_nothing_in_from_elsewhere(string path)
    {
        using var response = await _gateway.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/html", response.Content.Headers.ContentType?.MediaType);
        var policy = response.Headers.GetValues("Content-Security-Policy").Single();
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
    }

    [Theory, InlineData("/", 20), InlineData("/control", 30)]
    public async Task Everything_the_page_names_is_there_and_is_the_shops_own(string page, int atLeast)
    {
        var visited = new HashSet<string>();
        var open = new Queue<string>([page]);
        while (open.TryDequeue(out var path))
        {
            if (!visited.Add(path))
                continue;
            using var response = await _gateway.GetAsync(path);
            Assert.True(response.StatusCode == HttpStatusCode.OK, path);
            var text = await response.Content.ReadAsStringAsync(Cancellation);
            foreach (var name in Names().Matches(text).Select(match => match.Groups[1].Value))
            {
                Assert.DoesNotContain("//", name, StringComparison.Ordinal);
                open.Enqueue(new Uri(new Uri(_gateway.Client.BaseAddress!, path), name).AbsolutePath);
            }
        }

        Assert.True(visited.Count >= atLeast, string.Join(' ', visited));
    }

    [Fact]
    public async Task The_front_page_names_each_module_that_it_needs_so_that_none_waits_for_another()
    {
        var needed = new HashSet<string>();
        var open = new Queue<string>(["/store/store.js", "/store/views/catalog.js"]);
        while (open.TryDequeue(out var path))
        {
            if (!needed.Add(path))
                continue;
            foreach (Match import in Imports().Matches(await _gateway.Client.GetStringAsync(path, Cancellation)))
                open.Enqueue(new Uri(new Uri(_gateway.Client.BaseAddress!, path), import.Groups[1].Value).AbsolutePath);
        }

        var page = await _gateway.Client.GetStringAsync("/", Cancellation);
        Assert.Equal(needed.Order(), Modules().Matches(page).Select(module => module.Groups[1].Value).Order());
    }

    [Fact]
    public async Task Files_are_compressed_and_answers_about_somebody_are_not()
    {
        Assert.Equal("br", await EncodingOfAsync("/store/store.js"));
        Assert.Null(await EncodingOfAsync("/api/session"));
    }

    private async Task<string?> EncodingOfAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Accept-Encoding", "br" } } };
        using var response = await _gateway.Client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return response.Content.Headers.ContentEncoding.SingleOrDefault();
    }

    [Theory, InlineData("/orders/1/2"), InlineData("/products"), InlineData("/store/nothing.js"), InlineData("/store"), InlineData("/control/nothing"), InlineData("/control/orders/1/2")]
    public async Task Another_address_is_404(string path)
    {
        using var response = await _gateway.GetAsync(path);
        await Problem.ReadAsync(response, HttpStatusCode.NotFound);
    }

    [Theory, InlineData("/nothing"), InlineData("/orders/1/2"), InlineData("/control/nothing?level=error"), InlineData("/store/nothing.js"), InlineData("/health")]
    public async Task A_visitor_to_another_address_gets_the_stores_page_which_nobody_keeps(string path)
    {
        using var response = await VisitAsync(HttpMethod.Get, path);
        Assert.Equal((HttpStatusCode.NotFound, "text/html"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        Assert.Equal(await _gateway.Client.GetStringAsync("/", Cancellation), await response.Content.ReadAsStringAsync(Cancellation));
        Assert.Contains("script-src 'self'", response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.True(response.Headers.CacheControl?.NoStore);
        using var head = await VisitAsync(HttpMethod.Head, path);
        Assert.Equal((HttpStatusCode.NotFound, ""), (head.StatusCode, await head.Content.ReadAsStringAsync(Cancellation)));
    }

    [Theory]
    [InlineData("GET", "/api/nothing", Browser)]
    [InlineData("GET", "/api", Browser)]
    [InlineData("POST", "/nothing", Browser)]
    [InlineData("GET", "/nothing", "application/json")]
    [InlineData("GET", "/nothing", "application/json, text/html;q=0")]
    [InlineData("GET", "/nothing", "*/*")]
    public async Task Programs_and_whoever_asks_the_API_are_told_in_JSON(string method, string path, string accept)
    {
        using var response = await VisitAsync(new(method), path, accept);
        await Problem.ReadAsync(response, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_visitor_is_shown_a_file_and_what_an_endpoint_answers()
    {
        using var file = await VisitAsync(HttpMethod.Get, "/favicon.svg");
        using var health = await VisitAsync(HttpMethod.Get, "/health/live");
        Assert.Equal((HttpStatusCode.OK, "image/svg+xml"), (file.StatusCode, file.Content.Headers.ContentType?.MediaType));
        Assert.Equal((HttpStatusCode.OK, "application/json"), (health.StatusCode, health.Content.Headers.ContentType?.MediaType));
    }

    private async Task<HttpResponseMessage> VisitAsync(HttpMethod method, string path, string accept = Browser)
    {
        using var request = new HttpRequestMessage(method, path) { Headers = { { "Accept", accept } } };
        return await _gateway.Client.SendAsync(request, Cancellation);
    }

    [GeneratedRegex("""(?:src=|href=|from |import |import\()["']([^"'#]+)["']""")]
    private static partial Regex Names();

    /// <summary>Those that are loaded with a module, not the ones that it loads later.</summary>
    [GeneratedRegex("""(?:from|^import) '([^']+)'""", RegexOptions.Multiline)]
    private static partial Regex Imports();

    [GeneratedRegex("""(?:rel="modulepreload" href|type="module" src)="([^"]+)["]""")]
    private static partial Regex Modules();
}
