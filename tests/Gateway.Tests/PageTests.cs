using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Hosting;

namespace Shop.Gateway.Tests;

/// <summary>The pages of the store and of the control room, and what they load.</summary>
public sealed partial class PageTests : IAsyncDisposable
{
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

    [GeneratedRegex("""(?:src=|href=|from |import |import\()["']([^"'#]+)["']""")]
    private static partial Regex Names();
}
