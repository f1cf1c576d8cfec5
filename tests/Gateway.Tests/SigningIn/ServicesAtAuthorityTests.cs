using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Shop.Testing;

namespace Shop.Gateway.Tests.SigningIn;

/// <summary>The services' own programs outside Development: they take an authority's tokens, and nothing else.</summary>
public sealed class ServicesAtAuthorityTests(ServicesOutsideDevelopment services) : IClassFixture<ServicesOutsideDevelopment>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory, InlineData("orders"), InlineData("inventory"), InlineData("payments"), InlineData("activity")]
    public async Task A_service_takes_the_tokens_of_its_authority_and_no_others(string name)
    {
        await using var foreign = new TestAuthority();
        await foreign.InitializeAsync();
        var service = services[name];
        (string Caller, string? Token, HttpStatusCode Status)[] callers =
        [
            ("an operator", await services.Authority.TokenAsync("olga"), HttpStatusCode.OK),
            ("a shopper", await services.Authority.TokenAsync("ada"), HttpStatusCode.Forbidden),
            ("an operator of another authority", await foreign.TokenAsync("olga"), HttpStatusCode.Unauthorized),
            ("an operator, for another audience", await services.Authority.TokenAsync("olga", "another"), HttpStatusCode.Unauthorized),
            ("an operator in Development", TestTokens.Operator(), HttpStatusCode.Unauthorized),
            ("nobody", null, HttpStatusCode.Unauthorized),
        ];

        foreach (var (caller, token, status) in callers)
            Assert.Equal((caller, status), (caller, await StatusAsync(service.Client, $"/api/ops/{name}/dead-letters", token)));
        // what there is in Development only
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(service.Client, "/openapi/v1.json", callers[0].Token));
    }

    [Fact]
    public async Task Who_signs_in_at_the_authority_sees_their_orders_through_the_gateway()
    {
        // a machine that is busy is no authority that is away
        await using var gateway = new GatewayUnderTest(Environments.Production, new Dictionary<string, string>
        {
            ["Authentication:Authority"] = services.Authority.Address,
            ["Authentication:Audience"] = TestAuthority.Audience,
            ["SignIn:ClientId"] = TestAuthority.ClientId,
            ["SignIn:ClientSecret"] = TestAuthority.ClientSecret,
        }, configured => configured.Configure<OpenIdConnectOptions>("authority", options => options.BackchannelTimeout = Eventually.DefaultDeadline), ("orders", [services["orders"].Address]));
        var shop = gateway.Client.BaseAddress!;
        await services.Authority.AllowAsync(new(shop, "/api/session/callback"));
        var cookies = new CookieContainer();
        cookies.Add(new Uri(services.Authority.Address), new Cookie("person", "ada"));
        using var browser = new HttpClient(new SocketsHttpHandler { CookieContainer = cookies }) { BaseAddress = shop };
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(browser, "/api/orders", null));

        using (var page = await browser.GetAsync("/api/session/sign-in", Cancellation))
            Assert.Equal((HttpStatusCode.OK, "/"), (page.StatusCode, page.RequestMessage!.RequestUri!.PathAndQuery));

        using var list = JsonDocument.Parse(await browser.GetStringAsync("/api/orders", Cancellation));
        Assert.Equal(0, list.RootElement.GetProperty("items").GetArrayLength());
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(browser, "/api/ops/orders", null));
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string path, string? token)
    {
        using var request = TinyService.Get(path, token);
        using var answer = await client.SendAsync(request, Cancellation);
        return answer.StatusCode;
    }
}
