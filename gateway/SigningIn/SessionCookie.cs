using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.IdentityModel.Tokens;
using Shop.Gateway.DevelopmentLogin;
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
        });
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
        var signsInOrOut = request.Path.StartsWithSegments(SessionEndpoints.Path);
        var session = request.Headers.Authorization.Count == 0 && request.Cookies.ContainsKey(Name) && request.Path.StartsWithSegments("/api")
            ? await context.AuthenticateAsync(Scheme)
            : AuthenticateResult.NoResult();
        if ((session.Succeeded || signsInOrOut) && AntiForgery.Concerns(request) && AntiForgery.Check(request) is { Any: true } forged)
        {
            await forged.ToProblem().ExecuteAsync(context);
            return;
        }
        if (session.Succeeded)
        {
            try
            {
                if (await TokenAsync(context, session, key) is { } token)
                    request.Headers.Authorization = $"Bearer {token}";
            }
            catch (Exception e) when (AuthoritySignIn.IsAway(e))
            {
                await AuthoritySignIn.Away().ExecuteAsync(context);
                return;
            }
        }
        await next(context);
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
}
