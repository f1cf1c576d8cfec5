using System.Net;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Shop.Gateway.Tests.SigningIn;

/// <summary>A shop outside Development, an authority, and a browser.</summary>
public abstract class AtAuthority : IAsyncLifetime
{
    private readonly DirectoryInfo _keys = Directory.CreateTempSubdirectory("shop-sessions-");

    protected AtAuthority() => Browser = new(new SocketsHttpHandler { CookieContainer = Cookies });

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected TestAuthority Authority { get; } = new();

    /// <summary>What is behind the gateways.</summary>
    protected FakeService Service { get; } = new();

    protected CookieContainer Cookies { get; } = new();

    protected HttpClient Browser { get; }

    protected GatewayUnderTest First { get; private set; } = null!;

    protected Uri Shop => First.Client.BaseAddress!;

    /// <summary>The browser's session, which somebody else may have a copy of.</summary>
    protected string Session => Cookies.GetCookies(Shop)["shop_session"]!.Value;

    public async ValueTask InitializeAsync()
    {
        await Service.InitializeAsync();
        await Authority.InitializeAsync();
        First = Gateway(Authority.Address);
        await Authority.AllowAsync(new(Shop, "/api/session/callback"));
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Browser.Dispose();
        await First.DisposeAsync();
        await Authority.DisposeAsync();
        await Service.DisposeAsync();
        _keys.Delete(recursive: true);
    }

    protected GatewayUnderTest Gateway(string authority, string clientId = TestAuthority.ClientId, Action<IServiceCollection>? configure = null) => new(Environments.Production, new Dictionary<string, string>
    {
        ["Authentication:Authority"] = authority,
        ["Authentication:Audience"] = TestAuthority.Audience,
        ["SignIn:ClientId"] = clientId,
        ["SignIn:ClientSecret"] = TestAuthority.ClientSecret,
        ["Sessions:KeyDirectory"] = _keys.FullName,
    }, services =>
    {
        // a machine that is busy is no authority that is away
        services.Configure<OpenIdConnectOptions>("authority", options => options.BackchannelTimeout = TimeSpan.FromMinutes(5));
        configure?.Invoke(services);
    }, ("orders", [Service.Address]), ("inventory", [Service.Address]));

    protected Task<HttpResponseMessage> SignInAsync(string person, string returnTo = "/", GatewayUnderTest? at = null, TestAuthority? authority = null)
    {
        Cookies.Add(new Uri((authority ?? Authority).Address), new Cookie("person", person));
        return Browser.GetAsync(new Uri((at ?? First).Client.BaseAddress!, $"/api/session/sign-in?returnTo={returnTo}"), Cancellation);
    }

    protected async Task<HttpResponseMessage> SignOutAsync(Uri shop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, new Uri(shop, "/api/session")) { Headers = { { "X-Anti-Forgery", "1" } } };
        return await Browser.SendAsync(request, Cancellation);
    }

    protected static async Task<HttpStatusCode> StatusAsync(GatewayUnderTest gateway, string session)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/orders") { Headers = { { "Cookie", $"shop_session={session}" } } };
        using var answer = await gateway.Client.SendAsync(request, Cancellation);
        return answer.StatusCode;
    }
}
