using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;
using Shop.Testing;

namespace Shop.Gateway.Tests.SigningIn;

/// <summary>A service outside Development, which takes an OIDC authority's tokens.</summary>
public sealed class AuthorityTests : IAsyncLifetime
{
    private readonly TestAuthority _authority = new();
    private readonly HttpClient _client = new();
    private WebApplication _service = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _authority.InitializeAsync();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["urls"] = "http://127.0.0.1:0",
            ["Authentication:Authority"] = _authority.Address,
            ["Authentication:Audience"] = TestAuthority.Audience,
        });
        builder.Logging.ClearProviders();
        builder.AddServiceDefaults();
        _service = builder.Build();
        _service.MapServiceDefaults();
        _service.MapGet("/who", (HttpContext context) => context.User.ShopperId()).RequireAuthorization();
        _service.MapGet("/ops", () => "ok").RequireAuthorization(Policies.Operator);
        await _service.StartAsync(Cancellation);
        _client.BaseAddress = new(_service.Urls.Single());
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _service.DisposeAsync();
        await _authority.DisposeAsync();
    }

    [Fact]
    public async Task Its_tokens_say_who_it_is_and_whether_it_is_an_operator()
    {
        string ada = await _authority.TokenAsync("ada"), olga = await _authority.TokenAsync("olga");
        Assert.Equal((HttpStatusCode.OK, "ada"), await AskAsync("/who", ada));
        Assert.Equal(HttpStatusCode.Forbidden, (await AskAsync("/ops", ada)).Status);
        Assert.Equal((HttpStatusCode.OK, "ok"), await AskAsync("/ops", olga));
    }

    [Fact]
    public async Task Another_authoritys_tokens_and_those_for_another_audience_are_none()
    {
        await using var foreign = new TestAuthority();
        await foreign.InitializeAsync();
        Assert.Equal(HttpStatusCode.OK, (await AskAsync("/who", await _authority.TokenAsync("ada"))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync("/who", await foreign.TokenAsync("ada"))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync("/who", await _authority.TokenAsync("ada", "another"))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync("/ops", TestTokens.Operator())).Status);
    }

    [Fact]
    public async Task An_expired_token_is_none()
    {
        // what the first token takes longer, for the authority's keys are read for it, is not of the lifetime
        Assert.Equal(HttpStatusCode.OK, (await AskAsync("/who", await _authority.TokenAsync("ada"))).Status);
        _authority.TokenLifetime = TimeSpan.FromSeconds(15);
        var token = await _authority.TokenAsync("ada");
        Assert.Equal(HttpStatusCode.OK, (await AskAsync("/who", token)).Status);
        await Eventually.BecomesAsync(HttpStatusCode.Unauthorized, async () => (await AskAsync("/who", token)).Status);
    }

    [Long]
    [Fact]
    public async Task A_key_that_is_new_is_found_and_one_that_is_gone_signs_nothing()
    {
        var before = await _authority.TokenAsync("ada");
        Assert.Equal(HttpStatusCode.OK, (await AskAsync("/who", before)).Status);
        _authority.RotateKey();
        var after = await _authority.TokenAsync("ada");
        Assert.NotEqual(HttpStatusCode.InternalServerError, (await AskAsync("/who", after)).Status);
        await Eventually.BecomesAsync(HttpStatusCode.OK, async () => (await AskAsync("/who", after)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync("/who", before)).Status);
    }

    private async Task<(HttpStatusCode Status, string Text)> AskAsync(string path, string token)
    {
        using var answer = await _client.SendAsync(TinyService.Get(path, token), Cancellation);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
    }
}
