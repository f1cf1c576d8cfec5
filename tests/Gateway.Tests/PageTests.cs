using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Hosting;

namespace Shop.Gateway.Tests;

/// <summary>The page at <c>/</c> and what it loads.</summary>
public sealed partial class PageTests : IAsyncDisposable
{
    private readonly GatewayUnderTest _gateway = new(Environments.Development);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task The_page_is_served_with_a_policy_that_lets_nothing_in_from_elsewhere()
    {
        using var response = await _gateway.GetAsync("/");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/html", response.Content.Headers.ContentType?.MediaType);
        var policy = response.Headers.GetValues("Content-Security-Policy").Single();
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
    }

    [Fact]
    public async Task Everything_the_page_names_is_there_and_is_the_shops_own()
    {
        var visited = new HashSet<string>();
        var open = new Queue<string>(["/"]);
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

        Assert.True(visited.Count >= 5, string.Join(' ', visited));
    }

    [GeneratedRegex("""(?:src=|href=|from )["']([^"'#]+)["']""")]
    private static partial Regex Names();
}
