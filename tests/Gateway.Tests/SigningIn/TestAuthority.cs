using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using OpenIddict.Server.AspNetCore;
using Shop.AppHost.Running;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Shop.Gateway.Tests.SigningIn;

/// <summary>An OIDC authority (OpenIddict) on a port of its own: discovery, code flow with PKCE, refresh tokens, revocation, and the end of a session. Whom a browser's cookie <c>person</c> names is signed in.</summary>
public sealed class TestAuthority : IAsyncLifetime
{
    /// <summary>The gateway, as it is known here.</summary>
    public const string ClientId = "shop-gateway", ClientSecret = "a-secret-that-only-tests-use";

    /// <summary>What its tokens are for, unless a token is asked for the scope <c>another</c>.</summary>
    public const string Audience = "shop";

    private readonly WebApplication _app;

    /// <param name="endsSessions">Whether people can be sent there to sign out; not every authority has that.</param>
    public TestAuthority(bool endsSessions = false)
    {
        Address = $"http://127.0.0.1:{Ports.Free()}";
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production });
        builder.WebHost.UseSetting("urls", Address);
        builder.Logging.ClearProviders();
        var name = Guid.NewGuid().ToString();
        builder.Services.AddDbContext<DbContext>(options => options.UseInMemoryDatabase(name).UseOpenIddict());
        builder.Services.AddOpenIddict()
            .AddCore(core => core.UseEntityFrameworkCore().UseDbContext<DbContext>())
            .AddServer(server =>
            {
                server.SetAuthorizationEndpointUris("connect/authorize").SetTokenEndpointUris("connect/token").SetRevocationEndpointUris("connect/revoke");
                if (endsSessions)
                    server.SetEndSessionEndpointUris("connect/endsession");
                server.AllowAuthorizationCodeFlow().AllowRefreshTokenFlow().AllowClientCredentialsFlow().RequireProofKeyForCodeExchange();
                server.RegisterScopes(Scopes.OpenId, Scopes.OfflineAccess, "another");
                server.AddEphemeralEncryptionKey().AddSigningKey(NewKey()).DisableAccessTokenEncryption();
                server.SetRefreshTokenReuseLeeway(TimeSpan.Zero);
                server.UseAspNetCore().EnableAuthorizationEndpointPassthrough().EnableTokenEndpointPassthrough().EnableEndSessionEndpointPassthrough().DisableTransportSecurityRequirement();
            });
        builder.Services.AddAuthentication();
        _app = builder.Build();
        _app.Use((context, next) =>
        {
            if (!GivesTokens && context.Request.Path == "/connect/token" || !Revokes && context.Request.Path == "/connect/revoke")
            {
                context.Response.StatusCode = StatusCodes.Status502BadGateway;
                return Task.CompletedTask;
            }
            return Tokens is { } tokens && context.Request.Path == "/connect/token" ? tokens(context, next) : next(context);
        });
        _app.UseAuthentication();
        _app.MapMethods("/connect/authorize", ["GET", "POST"], (HttpContext context) => context.Request.Cookies["person"] is { } person
            ? SignIn(person, context.GetOpenIddictServerRequest()!.GetScopes())
            : Results.Forbid(authenticationSchemes: [OpenIddictServerAspNetCoreDefaults.AuthenticationScheme]));
        _app.MapGet("/connect/endsession", (HttpContext context) =>
        {
            context.Response.Cookies.Delete("person");
            return Results.SignOut(authenticationSchemes: [OpenIddictServerAspNetCoreDefaults.AuthenticationScheme]);
        });
        _app.MapPost("/connect/token", async (HttpContext context) =>
        {
            var request = context.GetOpenIddictServerRequest()!;
            if (request.IsClientCredentialsGrantType())
                return SignIn(request["person"]?.ToString() ?? "", request.GetScopes());
            var granted = await context.AuthenticateAsync(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
            return Results.SignIn(granted.Principal!.SetAccessTokenLifetime(TokenLifetime), authenticationScheme: OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
        });
    }

    /// <summary>How long an access token is valid that is issued from now on.</summary>
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Whether it gives tokens; else what is before it answers 502.</summary>
    public bool GivesTokens { get; set; } = true;

    /// <summary>Whether it takes tokens back; else what is before it answers 502.</summary>
    public bool Revokes { get; set; } = true;

    /// <summary>What is to become of a request for tokens, in place of an answer at once.</summary>
    public Func<HttpContext, RequestDelegate, Task>? Tokens { get; set; }

    /// <summary>Its issuer, without the slash at the end.</summary>
    public string Address { get; }

    public async ValueTask InitializeAsync()
    {
        await _app.StartAsync();
        await using var scope = _app.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<IOpenIddictApplicationManager>().CreateAsync(new OpenIddictApplicationDescriptor
        {
            ClientId = ClientId,
            ClientSecret = ClientSecret,
            ConsentType = ConsentTypes.Implicit,
            Permissions =
            {
                Permissions.Endpoints.Authorization, Permissions.Endpoints.Token, Permissions.Endpoints.Revocation, Permissions.Endpoints.EndSession, Permissions.GrantTypes.AuthorizationCode, Permissions.GrantTypes.RefreshToken,
                Permissions.GrantTypes.ClientCredentials, Permissions.ResponseTypes.Code, Permissions.Prefixes.Scope + "another",
            },
        });
    }

    /// <summary>Lets the application send people back there, after they have signed in and, where it is given, out.</summary>
    public async Task AllowAsync(Uri redirect, Uri? signedOut = null)
    {
        await using var scope = _app.Services.CreateAsyncScope();
        var applications = scope.ServiceProvider.GetRequiredService<IOpenIddictApplicationManager>();
        var application = (await applications.FindByClientIdAsync(ClientId))!;
        var descriptor = new OpenIddictApplicationDescriptor();
        await applications.PopulateAsync(descriptor, application);
        descriptor.RedirectUris.Add(redirect);
        if (signedOut is not null)
            descriptor.PostLogoutRedirectUris.Add(signedOut);
        await applications.UpdateAsync(application, descriptor);
    }

    /// <summary>An access token of that person's; <c>olga</c> is an operator.</summary>
    public async Task<string> TokenAsync(string person, string scope = "")
    {
        using var client = new HttpClient();
        using var answer = await client.PostAsync(Address + "/connect/token", new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials",
            ["client_id"] = ClientId,
            ["client_secret"] = ClientSecret,
            ["person"] = person,
            ["scope"] = scope,
        }), TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return System.Text.Json.JsonDocument.Parse(text).RootElement.TryGetProperty("access_token", out var token) ? token.GetString()! : throw new InvalidOperationException(text);
    }

    /// <summary>Signs with a new key from now on; the former is published no more.</summary>
    public void RotateKey()
    {
        var credentials = _app.Services.GetRequiredService<IOptionsMonitor<OpenIddictServerOptions>>().CurrentValue.SigningCredentials;
        credentials.Clear();
        credentials.Add(new(NewKey(), SecurityAlgorithms.RsaSha256));
    }

    /// <summary>Takes back everything that was issued.</summary>
    public async Task RevokeAllAsync()
    {
        await using var scope = _app.Services.CreateAsyncScope();
        var tokens = scope.ServiceProvider.GetRequiredService<IOpenIddictTokenManager>();
        await foreach (var token in tokens.ListAsync())
            await tokens.TryRevokeAsync(token);
    }

    /// <summary>How many refresh tokens are still good for something.</summary>
    public async Task<int> ValidRefreshTokensAsync()
    {
        await using var scope = _app.Services.CreateAsyncScope();
        var tokens = scope.ServiceProvider.GetRequiredService<IOpenIddictTokenManager>();
        var valid = 0;
        await foreach (var token in tokens.ListAsync())
            valid += await tokens.HasTypeAsync(token, TokenTypeHints.RefreshToken) && await tokens.HasStatusAsync(token, Statuses.Valid) ? 1 : 0;
        return valid;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private static RsaSecurityKey NewKey() => new(RSA.Create(2048)) { KeyId = Guid.NewGuid().ToString("N") };

    private IResult SignIn(string person, IEnumerable<string> scopes)
    {
        var identity = new ClaimsIdentity("authority", Claims.Name, "roles");
        identity.SetClaim(Claims.Subject, person);
        if (person == "olga")
            identity.AddClaim(new Claim("roles", "operator"));
        identity.SetScopes(scopes).SetResources(scopes.Contains("another") ? "another" : Audience).SetAccessTokenLifetime(TokenLifetime);
        identity.SetDestinations(_ => [Destinations.AccessToken]);
        return Results.SignIn(new(identity), authenticationScheme: OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
    }
}
