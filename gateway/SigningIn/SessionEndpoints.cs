using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;
using Shop.Gateway.DevelopmentLogin;
using Shop.ServiceDefaults.Authentication;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Gateway.SigningIn;

/// <summary>Who is signed in.</summary>
/// <param name="Name">The token's <c>sub</c>; null where nobody is.</param>
/// <param name="Roles">None, or <see cref="Policies.OperatorRole"/>.</param>
public sealed record Session(string? Name, IReadOnlyList<string> Roles);

/// <summary><c>/api/session</c>: signs in by name, tells who it is, and signs out.</summary>
internal static class SessionEndpoints
{
    /// <summary>The resource.</summary>
    public const string Path = "/api/session";

    /// <summary>Maps it in Development only: elsewhere the path does not exist.</summary>
    public static void MapSession(this WebApplication app)
    {
        if (DevelopmentTokens.SigningKey(app.Configuration, app.Environment) is null)
            return;
        app.MapGet(Path, (ClaimsPrincipal user) => TypedResults.Ok(Read(user))).AllowAnonymous()
            .WithSummary("Who is signed in, by cookie or token; in Development only.");
        app.MapPost(Path, SignInAsync).AllowAnonymous()
            .WithSummary($"Signs in by a cookie, without a password; wants {AntiForgery.Header}; in Development only.")
            .WithRequestExample("""{"name":"ada"}""");
        app.MapDelete(Path, (Delegate)SignOutAsync).AllowAnonymous()
            .WithSummary($"Signs out; wants {AntiForgery.Header}; in Development only.")
            .ProducesValidationProblem();
    }

    private static Session Read(ClaimsPrincipal user) =>
        new(user.FindFirst(ShopClaims.Subject)?.Value, [.. user.FindAll(ShopClaims.Roles).Select(role => role.Value)]);

    private static async Task<Results<Ok<Session>, ValidationProblem>> SignInAsync(TokenRequest request, HttpContext context)
    {
        var errors = DevelopmentTokenEndpoint.Check(request);
        if (errors.Any)
            return errors.ToProblem();
        await SessionCookie.SignInAsync(context, request);
        return TypedResults.Ok(new Session(request.Name, request.Roles ?? []));
    }

    private static async Task<NoContent> SignOutAsync(HttpContext context)
    {
        await context.SignOutAsync(SessionCookie.Scheme);
        return TypedResults.NoContent();
    }
}
