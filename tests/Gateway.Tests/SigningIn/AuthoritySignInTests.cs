using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.IdentityModel.JsonWebTokens;
using Shop.AppHost.Running;

namespace Shop.Gateway.Tests.SigningIn;

/// <summary>Signing in at an OIDC authority, outside Development, as a browser does it.</summary>
public sealed class AuthoritySignInTests : AtAuthority
{
    [Fact]
    public async Task Who_signs_in_there_comes_back_to_the_page_and_asks_services_by_a_token_that_the_browser_never_had()
    {
        using var page = await SignInAsync("ada", "/orders");
        Assert.Equal((HttpStatusCode.OK, "/orders"), (page.StatusCode, page.RequestMessage!.RequestUri!.PathAndQuery));

        Assert.Equal("""{"name":"ada","roles":[],"signInAt":"/api/session/sign-in"}""", await Browser.GetStringAsync(new Uri(Shop, "/api/session"), Cancellation));
        using var orders = await Browser.GetAsync(new Uri(Shop, "/api/orders"), Cancellation);
        using var ops = await Browser.GetAsync(new Uri(Shop, "/api/ops/orders"), Cancellation);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Forbidden), (orders.StatusCode, ops.StatusCode));
        var token = new JsonWebToken(Assert.Single(Service.Requests).Authorization["Bearer ".Length..]);
        Assert.Equal(("ada", Authority.Address + "/"), (token.Subject, token.Issuer));
        // a key, and no token, encrypted or not
        var cookies = Cookies.GetCookies(Shop).Where(cookie => cookie.Name != "person").ToList();
        Assert.All(cookies, cookie => Assert.True(cookie.HttpOnly && cookie.Value.Length < 500 && !cookie.Value.Contains("eyJ", StringComparison.Ordinal), cookie.ToString()));
        Assert.Contains(cookies, cookie => cookie.Name == "shop_session");
    }

    [Fact]
    public async Task A_sign_in_that_begins_at_one_gateway_ends_at_another_and_the_session_is_at_both()
    {
        await using var second = Gateway(Authority.Address);
        Cookies.Add(new Uri(Authority.Address), new Cookie("person", "ada"));
        using var browser = new HttpClient(new SocketsHttpHandler { CookieContainer = Cookies, AllowAutoRedirect = false });
        using var begun = await browser.GetAsync(new Uri(Shop, "/api/session/sign-in?returnTo=/orders"), Cancellation);
        using var allowed = await browser.GetAsync(begun.Headers.Location, Cancellation);

        // the browser knows one address of the shop; behind it the balancer chooses the other gateway
        using var ended = await browser.GetAsync(new Uri(second.Client.BaseAddress!, allowed.Headers.Location!.PathAndQuery), Cancellation);

        Assert.Equal((HttpStatusCode.Redirect, "/orders"), (ended.StatusCode, ended.Headers.Location?.OriginalString));
        var session = Cookies.GetCookies(second.Client.BaseAddress!)["shop_session"]!.Value;
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK], new[] { await StatusAsync(second, session), await StatusAsync(First, session) });
    }

    [Fact]
    public async Task Operators_are_those_whom_the_authority_says()
    {
        using var page = await SignInAsync("olga");
        using var ops = await Browser.GetAsync(new Uri(Shop, "/api/ops/orders"), Cancellation);
        Assert.Equal(HttpStatusCode.OK, ops.StatusCode);
    }

    [Fact]
    public async Task An_authority_that_ends_sessions_ends_its_own_too_and_sends_the_browser_back_to_the_shop()
    {
        await using var authority = new TestAuthority(endsSessions: true);
        await authority.InitializeAsync();
        await using var gateway = Gateway(authority.Address);
        var shop = gateway.Client.BaseAddress!;
        await authority.AllowAsync(new(shop, "/api/session/callback"), signedOut: new(shop, "/"));
        using (var page = await SignInAsync("ada", at: gateway, authority: authority))
            Assert.Equal(HttpStatusCode.OK, page.StatusCode);

        using var signedOut = await SignOutAsync(shop);
        Assert.Equal(HttpStatusCode.OK, signedOut.StatusCode);
        var endSessionAt = new Uri((await signedOut.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("endSessionAt").GetString()!);
        Assert.Equal(0, await authority.ValidRefreshTokensAsync());
        Assert.Equal("""{"name":null,"roles":[],"signInAt":"/api/session/sign-in"}""", await Browser.GetStringAsync(new Uri(shop, "/api/session"), Cancellation));
        // what says there whose session it is opens nothing here
        var hint = QueryHelpers.ParseQuery(endSessionAt.Query)["id_token_hint"].ToString();
        Assert.Equal("ada", new JsonWebToken(hint).Subject);
        using (var orders = await gateway.GetAsync("/api/orders", hint))
            await Problem.ReadAsync(orders, HttpStatusCode.Unauthorized);

        using var front = await Browser.GetAsync(endSessionAt, Cancellation);
        Assert.Equal((HttpStatusCode.OK, new Uri(shop, "/")), (front.StatusCode, front.RequestMessage!.RequestUri));
        using var again = await Browser.GetAsync(new Uri(shop, "/api/session/sign-in"), Cancellation);
        await Problem.ReadAsync(again, HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("/api/session/callback")]
    [InlineData("/api/session/callback?code=made-up&state=made-up")]
    [InlineData("/api/session/callback?error=access_denied&state=x")]
    [InlineData("/api/session/sign-in?returnTo=//elsewhere.example")]
    [InlineData("/api/session/sign-in?returnTo=https://elsewhere.example")]
    [InlineData("/api/session/sign-in?returnTo=/%5celsewhere.example")]
    [InlineData("/api/session/sign-in?returnTo=")]
    public async Task What_is_no_sign_in_is_400(string path)
    {
        using var answer = await Browser.GetAsync(new Uri(Shop, path), Cancellation);
        await Problem.ReadAsync(answer, HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("/api/session/callback")]
    [InlineData("/api/session/callback?code=made-up&state=made-up")]
    [InlineData("/api/session/callback?error=access_denied&state=x")]
    public async Task What_is_no_sign_in_is_told_to_people_on_the_sign_in_page(string path)
    {
        using var page = await VisitAsync(new Uri(Shop, path));
        Assert.Equal((HttpStatusCode.OK, "text/html", "/sign-in?problem=refused&return=%2F"),
            (page.StatusCode, page.Content.Headers.ContentType?.MediaType, page.RequestMessage!.RequestUri!.PathAndQuery));
    }

    [Fact]
    public async Task Whom_the_authority_refuses_is_told_so_and_can_try_again_for_the_same_page()
    {
        // it knows nobody in this browser
        using var page = await VisitAsync(new Uri(Shop, "/api/session/sign-in?returnTo=/orders?status=fulfilled"));
        Assert.Equal("/sign-in?problem=refused&return=%2Forders%3Fstatus%3Dfulfilled", page.RequestMessage!.RequestUri!.PathAndQuery);
        Assert.Null(Cookies.GetCookies(Shop)["shop_session"]);
    }

    [Fact]
    public void An_ID_token_cannot_pass_for_an_access_token()
    {
        var failure = Assert.Throws<InvalidOperationException>(() => Gateway(Authority.Address, clientId: TestAuthority.Audience));
        Assert.Contains("SignIn__ClientId", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_the_authority_is_away_nobody_signs_in_and_that_is_503()
    {
        await using var gateway = Gateway($"http://127.0.0.1:{Ports.Free()}");
        using var answer = await gateway.GetAsync("/api/session/sign-in");
        await Problem.ReadAsync(answer, HttpStatusCode.ServiceUnavailable);
        using var page = await VisitAsync(new Uri(gateway.Client.BaseAddress!, "/api/session/sign-in?returnTo=/orders"));
        Assert.Equal("/sign-in?problem=away&return=%2Forders", page.RequestMessage!.RequestUri!.PathAndQuery);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/session") { Content = JsonContent.Create(new { name = "olga" }), Headers = { { "X-Anti-Forgery", "1" } } };
        using var byName = await gateway.Client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, byName.StatusCode);
    }

    /// <summary>As a browser goes to an address.</summary>
    private async Task<HttpResponseMessage> VisitAsync(Uri address)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address) { Headers = { { "Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" } } };
        return await Browser.SendAsync(request, Cancellation);
    }
}
