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
    /// <exception cref="InvalidOperationException">The client's id is the audience of access tokens.</exception>
    public static bool AddAuthoritySignIn(this WebApplicationBuilder builder)
    {
        var settings = builder.Configuration.GetSection("SignIn");
        if (settings["ClientId"] is not { Length: > 0 } client || builder.Configuration["Authentication:Authority"] is not { Length: > 0 } authority)
            return false;
        if (client == builder.Configuration["Authentication:Audience"])
            throw new InvalidOperationException("SignIn__ClientId must not be Authentication__Audience: an ID token, which is for the client, would pass for an access token.");
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
            options.CallbackPath = SessionEndpoints.CallbackPath;
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
    public static bool IsAway(Exception? failure) => failure is not SessionsAwayException
        && (failure is HttpRequestException or IOException or TaskCanceledException { InnerException: TimeoutException } || failure?.InnerException is { } inner && IsAway(inner));

    /// <summary>The answer while it cannot.</summary>
    public static ProblemHttpResult Away() =>
        TypedResults.Problem("The authority cannot be reached at the moment. Try again.", statusCode: StatusCodes.Status503ServiceUnavailable);

    /// <summary>Tells somebody on the sign-in page, and a program by problem details, that the authority cannot be asked.</summary>
    public static IResult TellAway(HttpRequest request, string? returnTo) => TellOnPage(request, "away", returnTo) ?? Away();

    /// <summary>What comes back from the authority is no sign-in: made up, too old, refused there.</summary>
    private static Task RefuseAsync(RemoteFailureContext failed)
    {
        failed.HandleResponse();
        var (request, returnTo) = (failed.Request, failed.Properties?.RedirectUri);
        var answer = IsAway(failed.Failure) ? TellAway(request, returnTo) : TellOnPage(request, "refused", returnTo)
            ?? TypedResults.Problem("This is no sign-in, or it took too long. Sign in again.", statusCode: StatusCodes.Status400BadRequest);
        return answer.ExecuteAsync(failed.HttpContext);
    }

    /// <summary>The sign-in page, which knows these problems by name.</summary>
    private static IResult? TellOnPage(HttpRequest request, string problem, string? returnTo) => Pages.TakesPage(request)
        ? Results.LocalRedirect($"/sign-in?problem={problem}&return={Uri.EscapeDataString(returnTo ?? "/")}")
        : null;
}
