using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Gateway.SigningIn;

/// <summary>Signs people in at an OIDC authority: code flow with PKCE (RFC 9700); its tokens stay in the gateways.</summary>
internal static class AuthoritySignIn
{
    /// <summary>The authentication scheme.</summary>
    public const string Scheme = "authority";

    /// <summary>
    /// Registers it where it is configured. Settings beside <c>Authentication__Authority</c>: <c>SignIn__ClientId</c> and <c>SignIn__ClientSecret</c>, the
    /// gateway's own at the authority, which sends people back to <c>/api/session/callback</c>, and to <c>/</c> after they have signed out; <c>SignIn__Scope</c> (<c>openid offline_access</c>).
    /// </summary>
    /// <returns>Whether it is configured.</returns>
    public static bool AddAuthoritySignIn(this WebApplicationBuilder builder)
    {
        var settings = builder.Configuration.GetSection("SignIn");
        if (settings["ClientId"] is not { Length: > 0 } client || builder.Configuration["Authentication:Authority"] is not { Length: > 0 } authority)
            return false;
        builder.Services.AddSingleton<AuthorityTokens>();
        builder.Services.AddAuthentication().AddOpenIdConnect(Scheme, options =>
        {
            options.SignInScheme = SessionCookie.Scheme;
            options.Authority = authority;
            options.RequireHttpsMetadata = !TokenAuthentication.IsOnThisMachine(authority);
            options.BackchannelTimeout = TimeSpan.FromSeconds(30);
            options.ClientId = client;
            options.ClientSecret = settings["ClientSecret"];
            options.ResponseType = OpenIdConnectResponseType.Code;
            // what comes back by a form of the authority's page comes without cookies that are for this site
            options.ResponseMode = OpenIdConnectResponseMode.Query;
            options.NonceCookie.SameSite = options.CorrelationCookie.SameSite = SameSiteMode.Lax;
            options.NonceCookie.SecurePolicy = options.CorrelationCookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            (options.NonceCookie.Name, options.CorrelationCookie.Name) = ("shop_nonce.", "shop_correlation.");
            options.CallbackPath = SessionEndpoints.Path + "/callback";
            options.MapInboundClaims = false;
            options.SaveTokens = true;
            options.Scope.Clear();
            foreach (var scope in (settings["Scope"] ?? "openid offline_access").Split(' ', StringSplitOptions.RemoveEmptyEntries))
                options.Scope.Add(scope);
            options.Events.OnRemoteFailure = RefuseAsync;
        });
        return true;
    }

    /// <summary>Whether the authority could not be asked, directly or for where its endpoints are.</summary>
    public static bool IsAway(Exception? failure) => failure is HttpRequestException or IOException or TaskCanceledException { InnerException: TimeoutException }
        || failure?.InnerException is { } inner && IsAway(inner);

    /// <summary>The answer while it cannot.</summary>
    public static ProblemHttpResult Away() =>
        TypedResults.Problem("The authority cannot be reached at the moment. Try again.", statusCode: StatusCodes.Status503ServiceUnavailable);

    /// <summary>What comes back from the authority is no sign-in: made up, too old, refused there.</summary>
    private static Task RefuseAsync(RemoteFailureContext failed)
    {
        failed.HandleResponse();
        var answer = IsAway(failed.Failure) ? Away() : TypedResults.Problem("This is no sign-in, or it took too long. Sign in again.", statusCode: StatusCodes.Status400BadRequest);
        return answer.ExecuteAsync(failed.HttpContext);
    }
}
