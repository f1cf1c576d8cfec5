using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
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

    private const string Name = "shop_session", KeyDirectory = "Sessions:KeyDirectory";

    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(8);

    /// <summary>
    /// Registers it where there is a development key; before the service defaults. Setting: <c>Sessions__KeyDirectory</c>, where the keys are that cookies are
    /// protected with, for all gateways of a shop the same; without it a gateway has its own, and sessions end with it.
    /// </summary>
    public static void AddSessionCookie(this WebApplicationBuilder builder)
    {
        if (DevelopmentTokens.SigningKey(builder.Configuration, builder.Environment) is null)
            return;
        builder.Services.AddAuthentication().AddCookie(Scheme, options =>
        {
            options.Cookie.Name = Name;
            options.Cookie.HttpOnly = true;
            options.Cookie.SameSite = SameSiteMode.Lax;
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            options.ExpireTimeSpan = Lifetime;
            options.SlidingExpiration = true;
        });
        var protection = builder.Services.AddDataProtection().SetApplicationName("Shop");
        if (builder.Configuration[KeyDirectory] is { Length: > 0 } directory)
            protection.PersistKeysToFileSystem(OnlyForOwner(directory));
        else
            protection.UseEphemeralDataProtectionProvider();
        // that they are not encrypted in turn is known: only their owner may read them
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
    }

    /// <summary>Before authentication: puts a token into a request that comes with the cookie and without one, and refuses what another site's page would change.</summary>
    public static void UseSessionCookie(this WebApplication app)
    {
        if (DevelopmentTokens.SigningKey(app.Configuration, app.Environment) is { } key)
            app.Use((context, next) => InvokeAsync(context, next, key));
    }

    private static async Task InvokeAsync(HttpContext context, RequestDelegate next, SymmetricSecurityKey key)
    {
        var request = context.Request;
        var signsInOrOut = request.Path.StartsWithSegments(SessionEndpoints.Path);
        var session = request.Headers.Authorization.Count == 0 && request.Cookies.ContainsKey(Name) && request.Path.StartsWithSegments("/api")
            ? (await context.AuthenticateAsync(Scheme)).Principal
            : null;
        if ((session is not null || signsInOrOut) && AntiForgery.Concerns(request) && AntiForgery.Check(request) is { Any: true } forged)
        {
            await forged.ToProblem().ExecuteAsync(context);
            return;
        }
        if (session is not null)
        {
            var roles = session.FindAll(ShopClaims.Roles).Select(role => role.Value).ToArray();
            var now = context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow();
            request.Headers.Authorization = $"Bearer {DevelopmentTokens.Issue(key, session.ShopperId(), roles, now)}";
        }
        await next(context);
    }

    /// <summary>Signs somebody in, with the answer to this request.</summary>
    public static Task SignInAsync(HttpContext context, TokenRequest who) => context.SignInAsync(Scheme, new(new ClaimsIdentity(
        [new(ShopClaims.Subject, who.Name), .. (who.Roles ?? []).Distinct().Select(role => new Claim(ShopClaims.Roles, role))],
        Scheme, ShopClaims.Subject, ShopClaims.Roles)), new() { IsPersistent = true });

    private static DirectoryInfo OnlyForOwner(string directory) => OperatingSystem.IsWindows()
        ? Directory.CreateDirectory(directory)
        : Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
}
