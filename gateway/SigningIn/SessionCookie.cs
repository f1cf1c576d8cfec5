using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.IdentityModel.Tokens;
using Shop.Gateway.DevelopmentLogin;
using Shop.Gateway.Edge;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Gateway.SigningIn;

/// <summary>
/// Who signed in on a page has a cookie that scripts cannot read, and the gateway sends the services a token in its place: the browser holds none.
/// Source: OAuth 2.0 for Browser-Based Applications, backend for frontend.
/// </summary>
internal static class SessionCookie
{
    /// <summary>The authentication scheme by which people are signed in and out.</summary>
    public const string Scheme = "session";

    private const string Name = "shop_session";

    /// <summary>
    /// Registers it where people can sign in: by name in Development, at an authority where one is configured (<see cref="AuthoritySignIn"/>); before the
    /// service defaults. Sessions are where <see cref="SessionStore.Directory"/> says.
    /// </summary>
    public static void AddSessionCookie(this WebApplicationBuilder builder)
    {
        if (DevelopmentTokens.SigningKey(builder.Configuration, builder.Environment) is null && !builder.AddAuthoritySignIn())
            return;
        builder.Services.AddSingleton<SessionStore>();
        builder.Services.AddAuthentication().AddCookie(Scheme, options =>
        {
            options.Cookie.Name = Name;
            options.Cookie.HttpOnly = true;
            options.Cookie.SameSite = SameSiteMode.Lax;
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            options.ExpireTimeSpan = SessionStore.Lifetime;
            options.SlidingExpiration = true;
            options.Events.OnSignedIn = signedIn => EndFormerAsync(signedIn.HttpContext);
        });
        builder.Services.AddExceptionHandler<SessionsAwayHandler>();
        builder.Services.AddOptions<CookieAuthenticationOptions>(Scheme).Configure<SessionStore>((options, sessions) => options.SessionStore = sessions);
        var protection = builder.Services.AddDataProtection().SetApplicationName("Shop");
        if (builder.Configuration[SessionStore.Directory] is { Length: > 0 } directory)
            protection.PersistKeysToFileSystem(SessionStore.OnlyForOwner(directory));
        else
            protection.UseEphemeralDataProtectionProvider();
        // that they are not encrypted in turn is known: only their owner may read them
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
    }

    /// <summary>Before authentication: puts a token into a request that comes with the cookie and without one, and refuses what another site's page would change.</summary>
    public static void UseSessionCookie(this WebApplication app)
    {
        if (app.Services.GetService<SessionStore>() is null)
            return;
        var key = DevelopmentTokens.SigningKey(app.Configuration, app.Environment);
        app.Use((context, next) => InvokeAsync(context, next, key));
    }

    private static async Task InvokeAsync(HttpContext context, RequestDelegate next, SymmetricSecurityKey? key)
    {
        var request = context.Request;
        if (SessionEndpoints.SignsIn(request))
            SetFormerAside(context);
        var signsInOrOut = SessionEndpoints.SignsInOrOut(request);
        var session = !signsInOrOut && request.Headers.Authorization.Count == 0 && request.Cookies.ContainsKey(Name) && request.Path.StartsWithSegments("/api")
            ? await context.AuthenticateAsync(Scheme)
            : AuthenticateResult.NoResult();
        if ((session.Succeeded || signsInOrOut) && AntiForgery.Concerns(request) && AntiForgery.Check(request) is { Any: true } forged)
        {
            await forged.ToProblem().ExecuteAsync(context);
            return;
        }
        if (session.Succeeded)
        {
            context.Features.Set(new SessionOfRequest(SessionStore.KeyOf(session.Properties!)));
            try
            {
                if (await TokenAsync(context, session, key) is { } token)
                    request.Headers.Authorization = $"Bearer {token}";
            }
            catch (Exception e) when (AuthoritySignIn.IsAway(e))
            {
                if (IsForSomebody(context))
                {
                    await AuthoritySignIn.Away().ExecuteAsync(context);
                    return;
                }
                // what is for everybody needs no token
            }
        }
        await next(context);
    }

    private static bool IsForSomebody(HttpContext context) => context.GetEndpoint() is RouteEndpoint endpoint
        && (endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null || context.Request.Path.StartsWithSegments(SessionEndpoints.Path));

    /// <summary>
    /// Who signs in begins a session: the cookie handler would go on with that of the cookie, which is then the new person's for whoever has a copy of it.
    /// The former one ends when there is a new one, so that a link to a sign-in that fails signs nobody out.
    /// </summary>
    private static void SetFormerAside(HttpContext context)
    {
        var request = context.Request;
        if (!request.Cookies.Keys.Any(IsOurs))
            return;
        context.Features.Set(new FormerSession(request.Headers.Cookie.ToString()));
        request.Headers.Cookie = request.Cookies.Without(IsOurs);

        // as ASP.NET Core finds a cookie; the parts of one, see ChunkingCookieManager, are nothing without it
        static bool IsOurs(string cookie) => cookie.Equals(Name, StringComparison.OrdinalIgnoreCase);
    }

    private static async Task EndFormerAsync(HttpContext context)
    {
        if (context.Features.Get<FormerSession>() is not { } former)
            return;
        // a request of its own, for this one has signed somebody else in
        await using var scope = context.RequestServices.CreateAsyncScope();
        var request = new DefaultHttpContext { RequestServices = scope.ServiceProvider, Request = { Headers = { Cookie = former.Cookies } } };
        if (await request.AuthenticateAsync(Scheme) is { Succeeded: true, Properties: { } session })
            await scope.ServiceProvider.GetRequiredService<SessionStore>().RemoveAsync(SessionStore.KeyOf(session));
    }

    private static async Task<string?> TokenAsync(HttpContext context, AuthenticateResult session, SymmetricSecurityKey? key)
    {
        if (key is null)
            return await context.RequestServices.GetRequiredService<AuthorityTokens>().AccessTokenAsync(session.Properties!, context.RequestAborted);
        var roles = session.Principal!.FindAll(ShopClaims.Roles).Select(role => role.Value).ToArray();
        return DevelopmentTokens.Issue(key, session.Principal!.ShopperId(), roles, context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow());
    }

    /// <summary>Signs somebody in, with the answer to this request.</summary>
    public static Task SignInAsync(HttpContext context, TokenRequest who) => context.SignInAsync(Scheme, new(new ClaimsIdentity(
        [new(ShopClaims.Subject, who.Name), .. (who.Roles ?? []).Distinct().Select(role => new Claim(ShopClaims.Roles, role))],
        Scheme, ShopClaims.Subject, ShopClaims.Roles)), new() { IsPersistent = true });

    /// <summary>The cookies of a request that signs in, as they came.</summary>
    private sealed record FormerSession(string Cookies);
}

/// <summary>The session by which a request came.</summary>
/// <param name="Key">Its key.</param>
internal sealed record SessionOfRequest(string Key);
