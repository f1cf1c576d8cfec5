using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Shop.Gateway.Tests;

/// <summary><c>/api/session</c>, and requests that come with its cookie.</summary>
public sealed class SessionTests : IAsyncLifetime
{
    private readonly FakeService _service = new();
    private readonly DirectoryInfo _keys = Directory.CreateTempSubdirectory("shop-sessions-");
    // what a request has is what a test gives it
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseCookies = false });
    private GatewayUnderTest _gateway = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _service.InitializeAsync();
        _gateway = Gateway();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _gateway.DisposeAsync();
        await _service.DisposeAsync();
        _keys.Delete(recursive: true);
    }

    [Fact]
    public async Task The_cookie_is_kept_from_scripts_and_other_sites_and_no_token_is_told()
    {
        using var answer = await SendAsync(HttpMethod.Post, "/api/session", body: """{"name":"ada"}""");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var cookie = SetCookie(answer);
        var attributes = cookie.Split("; ").Skip(1).ToList();
        Assert.Contains("httponly", attributes);
        Assert.Contains("samesite=lax", attributes);
        Assert.Contains("path=/", attributes);
        // over plain HTTP a browser would not send a secure one back
        Assert.DoesNotContain("secure", attributes);
        var text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.Equal("""{"name":"ada","roles":[]}""", text);
        // how every token begins
        Assert.DoesNotContain("eyJ", cookie, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_by_cookie_reaches_the_service_with_a_token_and_without_the_cookie()
    {
        var cookie = await SignInAsync("""{"name":"ada"}""");
        using var read = await SendAsync(HttpMethod.Get, "/api/orders", $"{cookie}; visitor=someone; shop_device={new string('a', 32)}");
        using var ordered = await SendAsync(HttpMethod.Post, "/api/orders", $"visitor=someone; {cookie}", "{}", origin: Origin);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (read.StatusCode, ordered.StatusCode));
        Assert.Equal(2, _service.Requests.Count);
        foreach (var seen in _service.Requests)
        {
            Assert.StartsWith("Bearer ", seen.Authorization, StringComparison.Ordinal);
            var token = new JsonWebToken(seen.Authorization["Bearer ".Length..]);
            Assert.Equal("ada", token.Subject);
            Assert.DoesNotContain(token.Claims, claim => claim.Type == "roles");
            // a service's own
            Assert.Equal("visitor=someone", seen.Cookie);
        }
    }

    [Fact]
    public async Task Only_an_operators_cookie_opens_an_operators_routes()
    {
        using var refused = await SendAsync(HttpMethod.Get, "/api/ops/orders", await SignInAsync("""{"name":"ada"}"""));
        using var allowed = await SendAsync(HttpMethod.Get, "/api/ops/orders", await SignInAsync("""{"name":"olga","roles":["operator"]}"""));
        await Problem.ReadAsync(refused, HttpStatusCode.Forbidden);
        Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
    }

    [Theory]
    [InlineData("POST", "/api/orders", null, null, "X-Anti-Forgery")]
    [InlineData("POST", "/api/orders", null, "https://evil.example", "X-Anti-Forgery,Origin")]
    [InlineData("POST", "/api/orders", "1", "https://evil.example", "Origin")]
    [InlineData("POST", "/api/orders", "1", "null", "Origin")]
    [InlineData("PUT", "/api/orders/42", null, null, "X-Anti-Forgery")]
    [InlineData("DELETE", "/api/session", null, null, "X-Anti-Forgery")]
    [InlineData("POST", "/api/session", null, null, "X-Anti-Forgery")]
    public async Task What_another_sites_page_would_change_by_cookie_is_400_and_goes_no_further(string method, string path, string? header, string? origin, string fields)
    {
        var cookie = await SignInAsync("""{"name":"ada"}""");
        using var answer = await SendAsync(new(method), path, cookie, """{"name":"ada"}""", header, origin);
        var problem = await Problem.ReadAsync(answer, HttpStatusCode.BadRequest);
        Assert.Equal(fields.Split(','), problem.Errors!.Keys);
        Assert.Empty(_service.Requests);
        Assert.False(answer.Headers.TryGetValues("Set-Cookie", out var cookies) && cookies.Any(IsSession));
    }

    [Fact]
    public async Task With_a_token_of_its_own_a_request_is_the_tokens_and_needs_no_header()
    {
        var cookie = await SignInAsync("""{"name":"ada"}""");
        var token = await _gateway.TokenAsync("grace");
        using var answer = await SendAsync(HttpMethod.Post, "/api/orders", cookie, "{}", header: null, token: token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal($"Bearer {token}", Assert.Single(_service.Requests).Authorization);
    }

    [Fact]
    public async Task Who_is_signed_in_is_told_until_they_sign_out()
    {
        var cookie = await SignInAsync("""{"name":"olga","roles":["operator"]}""");
        Assert.Equal("""{"name":"olga","roles":["operator"]}""", await ReadAsync(cookie));
        Assert.Equal("""{"name":null,"roles":[]}""", await ReadAsync(null));

        using var signedOut = await SendAsync(HttpMethod.Delete, "/api/session", cookie);
        Assert.Equal(HttpStatusCode.NoContent, signedOut.StatusCode);
        // empty, and over: what a browser then has is no cookie
        var ended = SetCookie(signedOut);
        Assert.StartsWith("shop_session=;", ended, StringComparison.Ordinal);
        Assert.Contains("expires=Thu, 01 Jan 1970", ended, StringComparison.Ordinal);
        using var afterwards = await SendAsync(HttpMethod.Get, "/api/orders", ended.Split(';')[0]);
        await Problem.ReadAsync(afterwards, HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Who_signs_in_over_a_session_begins_another_and_the_former_is_nobodys()
    {
        var adas = await SignInAsync("""{"name":"ada"}""");
        using var signedIn = await SendAsync(HttpMethod.Post, "/api/session", $"visitor=someone; {adas}", """{"name":"olga"}""");
        Assert.Equal(HttpStatusCode.OK, signedIn.StatusCode);
        Assert.Equal("""{"name":"olga","roles":[]}""", await ReadAsync(SetCookie(signedIn).Split(';')[0]));
        Assert.Equal("""{"name":null,"roles":[]}""", await ReadAsync(adas));
    }

    /// <summary>All ways of writing the cookie: names are compared without case, and a value may be in parts.</summary>
    [Theory, InlineData("SHOP_SESSION={0}"), InlineData("shop_session=chunks-1; shop_sessionC1={0}"), InlineData("visitor=a; Shop_Session={0}")]
    public async Task Who_signs_in_over_a_session_whose_cookie_is_written_otherwise_ends_it_too(string written)
    {
        var adas = await SignInAsync("""{"name":"ada"}""");
        var cookie = string.Format(CultureInfo.InvariantCulture, written, adas["shop_session=".Length..]);
        Assert.Equal("""{"name":"ada","roles":[]}""", await ReadAsync(cookie));

        using var signedIn = await SendAsync(HttpMethod.Post, "/api/session", cookie, """{"name":"olga"}""");

        Assert.Equal(HttpStatusCode.OK, signedIn.StatusCode);
        Assert.Equal("""{"name":null,"roles":[]}""", await ReadAsync(adas));
    }

    [Fact]
    public async Task A_cookie_within_another_ones_value_is_no_session()
    {
        var adas = await SignInAsync("""{"name":"ada"}""");
        using var signedIn = await SendAsync(HttpMethod.Post, "/api/session", $"shop_session=made-up; other=1%3B%20{adas}", """{"name":"olga"}""");
        Assert.Equal(HttpStatusCode.OK, signedIn.StatusCode);
        Assert.Equal("""{"name":"ada","roles":[]}""", await ReadAsync(adas));
    }

    [Fact]
    public async Task A_service_is_not_shown_the_cookie_however_it_is_written()
    {
        var cookie = await SignInAsync("""{"name":"ada"}""");
        using var read = await SendAsync(HttpMethod.Get, "/api/orders", $"SHOP{cookie["shop".Length..]}; visitor=someone; Shop_Device={new string('a', 32)}");
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        Assert.Equal("visitor=someone", Assert.Single(_service.Requests).Cookie);
    }

    [Fact]
    public async Task A_session_goes_on_as_its_own_and_is_not_there_again_once_it_has_ended()
    {
        var sessions = _gateway.Services.GetRequiredService<IOptionsMonitor<CookieAuthenticationOptions>>().Get("session").SessionStore!;
        var key = await sessions.StoreAsync(Ticket("ada"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => sessions.RenewAsync(key, Ticket("olga")));
        var adas = await sessions.RetrieveAsync(key);
        Assert.Equal("ada", adas?.Principal.FindFirst("sub")?.Value);

        await sessions.RenewAsync(key, adas!);
        await sessions.RemoveAsync(key);
        await sessions.RenewAsync(key, adas!);

        Assert.Null(await sessions.RetrieveAsync(key));

        static AuthenticationTicket Ticket(string name) => new(new(new ClaimsIdentity([new("sub", name)], "session")), "session");
    }

    [Fact]
    public async Task Where_sessions_cannot_be_written_nobody_signs_in_and_that_is_503()
    {
        Assert.Single(_keys.EnumerateDirectories("tickets", SearchOption.AllDirectories)).Delete(recursive: true);
        using var answer = await SendAsync(HttpMethod.Post, "/api/session", body: """{"name":"ada"}""");
        await Problem.ReadAsync(answer, HttpStatusCode.ServiceUnavailable);
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    [Fact]
    public async Task Another_gateway_of_the_shop_takes_the_cookie_and_that_of_another_shop_does_not()
    {
        var cookie = await SignInAsync("""{"name":"ada"}""");
        await using var second = Gateway();
        await using var foreign = new GatewayUnderTest(Environments.Development, ("orders", [_service.Address]), ("activity", [_service.Address]));
        using var known = await SendAsync(HttpMethod.Get, "/api/orders", cookie, gateway: second);
        using var unknown = await SendAsync(HttpMethod.Get, "/api/orders", cookie, gateway: foreign);
        Assert.Equal(HttpStatusCode.OK, known.StatusCode);
        await Problem.ReadAsync(unknown, HttpStatusCode.Unauthorized);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, Assert.Single(_keys.EnumerateDirectories()).UnixFileMode);
    }

    [Theory]
    [InlineData("""{"name":""}""", "name")]
    [InlineData("""{"name":"ada","roles":["root"]}""", "roles[0]")]
    [InlineData("nonsense", "body")]
    public async Task What_is_wrong_is_400_and_named(string body, string field)
    {
        using var answer = await SendAsync(HttpMethod.Post, "/api/session", body: body);
        Assert.Equal([field], (await Problem.ReadAsync(answer, HttpStatusCode.BadRequest)).Errors!.Keys);
    }

    [Theory, InlineData("GET"), InlineData("POST"), InlineData("DELETE")]
    public async Task Outside_Development_there_is_no_such_path_and_the_cookie_opens_nothing(string method)
    {
        var cookie = await SignInAsync("""{"name":"ada"}""");
        await using var production = new GatewayUnderTest(Environments.Production, Settings, ("orders", [_service.Address]));
        using var answer = await SendAsync(new(method), "/api/session", cookie, """{"name":"ada"}""", gateway: production);
        await Problem.ReadAsync(answer, HttpStatusCode.NotFound);
        using var orders = await SendAsync(HttpMethod.Get, "/api/orders", cookie, gateway: production);
        await Problem.ReadAsync(orders, HttpStatusCode.Unauthorized);
    }

    private Dictionary<string, string> Settings => new() { ["Sessions:KeyDirectory"] = Path.Combine(_keys.FullName, "sessions") };

    private string Origin => _gateway.Client.BaseAddress!.GetLeftPart(UriPartial.Authority);

    private GatewayUnderTest Gateway() => new(Environments.Development, Settings,
        ("orders", [_service.Address]), ("inventory", [_service.Address]), ("payments", [_service.Address]), ("activity", [_service.Address]));

    /// <summary>As a browser sends it back.</summary>
    private async Task<string> SignInAsync(string body)
    {
        using var answer = await SendAsync(HttpMethod.Post, "/api/session", body: body);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return SetCookie(answer).Split(';')[0];
    }

    private async Task<string> ReadAsync(string? cookie)
    {
        using var answer = await SendAsync(HttpMethod.Get, "/api/session", cookie);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetRawText();
    }

    private static string SetCookie(HttpResponseMessage answer) => Assert.Single(answer.Headers.GetValues("Set-Cookie"), IsSession);

    private static bool IsSession(string cookie) => cookie.StartsWith("shop_session=", StringComparison.Ordinal);

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? cookie = null, string? body = null, string? header = "1",
        string? origin = null, string? token = null, GatewayUnderTest? gateway = null)
    {
        using var request = new HttpRequestMessage(method, new Uri((gateway ?? _gateway).Client.BaseAddress!, path));
        foreach (var (name, value) in new[] { ("Cookie", cookie), ("X-Anti-Forgery", header), ("Origin", origin), ("Authorization", token is null ? null : $"Bearer {token}") })
        {
            if (value is not null)
                request.Headers.TryAddWithoutValidation(name, value);
        }
        if (body is not null)
            request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        return await _client.SendAsync(request, Cancellation);
    }
}
