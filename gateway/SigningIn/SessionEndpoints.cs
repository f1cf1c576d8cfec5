using System.Security.Claims;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using Shop.Gateway.DevelopmentLogin;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Gateway.SigningIn;

/// <summary>Who is signed in.</summary>
/// <param name="Name">The token's <c>sub</c>; null where nobody is.</param>
/// <param name="Roles">None, or <see cref="Policies.OperatorRole"/>.</param>
/// <param name="SignInAt">Where a browser is sent to sign in at the authority; not there where people sign in by name.</param>
public sealed record Session(
    string? Name,
    IReadOnlyList<string> Roles,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? SignInAt = null);

/// <summary>Signed out of the shop, and not yet at the authority.</summary>
/// <param name="EndSessionAt">Where the browser is to go next: there the session ends at the authority, which sends it back to the shop.</param>
public sealed record SignedOut(string EndSessionAt);

/// <summary><c>/api/session</c>: signs in by name or at an authority, tells who it is, and signs out.</summary>
internal static class SessionEndpoints
{
    /// <summary>The resource.</summary>
    public const string Path = "/api/session";

    /// <summary>Where the authority sends people back to.</summary>
    public const string CallbackPath = Path + "/callback";

    /// <summary>Whether somebody comes back from the authority.</summary>
    public static bool IsCallback(HttpRequest request) => request.Path.StartsWithSegments(CallbackPath);

    /// <summary>Whether the answer may be a new session.</summary>
    public static bool SignsIn(HttpRequest request) => IsCallback(request) || HttpMethods.IsPost(request.Method) && request.Path.StartsWithSegments(Path);

    /// <summary>Whether the request is the resource's or below it, but does not ask who it is: who signs in or out does so as nobody.</summary>
    public static bool SignsInOrOut(HttpRequest request) =>
        request.Path.StartsWithSegments(Path, out var below) && !(HttpMethods.IsGet(request.Method) && below.Value is "" or "/");

    /// <summary>Maps it where people can sign in; elsewhere the path does not exist.</summary>
    public static void MapSession(this WebApplication app)
    {
        if (app.Services.GetService<SessionStore>() is null)
            return;
        var signInAt = app.Services.GetService<AuthorityTokens>() is null ? null : Path + "/sign-in";
        app.MapGet(Path, (ClaimsPrincipal user) => TypedResults.Ok(Read(user, signInAt))).AllowAnonymous()
            .WithSummary("Who is signed in, by cookie or token.");
        app.MapDelete(Path, (Delegate)SignOutAsync).AllowAnonymous()
            .WithSummary($"Signs out; wants {AntiForgery.Header}. An answer with a body says where the session at the authority ends.")
            .WithRequestHeader(AntiForgery.Header, AntiForgery.Description, isRequired: true)
            .ProducesValidationProblem();
        if (signInAt is not null)
        {
            app.MapGet(signInAt, SignInAtAuthorityAsync).AllowAnonymous()
                .WithSummary("Sends the browser to the authority to sign in, and from there back to a page of the shop.")
                .WithLocation("The authority's page; the shop's own sign-in page, for a browser, where the authority is away.")
                .Produces(StatusCodes.Status302Found).ProducesValidationProblem().ProducesProblem(StatusCodes.Status503ServiceUnavailable);
            return;
        }
        app.MapPost(Path, SignInAsync).AllowAnonymous()
            .WithSummary($"Signs in by a cookie, without a password; wants {AntiForgery.Header}; in Development only.")
            .WithRequestHeader(AntiForgery.Header, AntiForgery.Description, isRequired: true)
            .WithRequestExample("""{"name":"ada"}""");
    }

    private static Session Read(ClaimsPrincipal user, string? signInAt) =>
        new(user.FindFirst(ShopClaims.Subject)?.Value, [.. user.FindAll(ShopClaims.Roles).Select(role => role.Value)], signInAt);

    // the header is looked at before a route is reached (SessionCookie): as a parameter it is in the document
    private static async Task<Results<Ok<Session>, ValidationProblem>> SignInAsync(
        TokenRequest request, HttpContext context, [FromHeader(Name = AntiForgery.Header)] string _)
    {
        var errors = DevelopmentTokenEndpoint.Check(request);
        if (errors.Any)
            return errors.ToProblem();
        await SessionCookie.SignInAsync(context, request);
        return TypedResults.Ok(new Session(request.Name, request.Roles ?? []));
    }

    private static async Task<IResult> SignInAtAuthorityAsync(
        HttpRequest request, IOptionsMonitor<OpenIdConnectOptions> options, CancellationToken cancellationToken, string returnTo = "/")
    {
        // another site's page, to which a sign-in of ours led, could look like ours
        if (returnTo is not ("/" or ['/', not ('/' or '\\'), ..]) || !Uri.IsWellFormedUriString(returnTo, UriKind.Relative))
        {
            var errors = new ValidationErrors();
            errors.Add(nameof(returnTo), "Must be a page of the shop, as /orders.");
            return errors.ToProblem();
        }
        try
        {
            await options.Get(AuthoritySignIn.Scheme).ConfigurationManager!.GetConfigurationAsync(cancellationToken);
        }
        catch (Exception e) when (AuthoritySignIn.IsAway(e))
        {
            return AuthoritySignIn.TellAway(request, returnTo);
        }
        return TypedResults.Challenge(new() { RedirectUri = returnTo }, [AuthoritySignIn.Scheme]);
    }

    private static async Task<Results<NoContent, Ok<SignedOut>>> SignOutAsync(HttpContext context, [FromHeader(Name = AntiForgery.Header)] string _)
    {
        var session = await context.AuthenticateAsync(SessionCookie.Scheme);
        await context.SignOutAsync(SessionCookie.Scheme);
        if (!session.Succeeded || context.RequestServices.GetService<AuthorityTokens>() is not { } tokens)
            return TypedResults.NoContent();
        var shop = UriHelper.BuildAbsolute(context.Request.Scheme, context.Request.Host, context.Request.PathBase, "/");
        return await tokens.EndAsync(session.Properties!, shop, context.RequestAborted) is { } endSessionAt
            ? TypedResults.Ok(new SignedOut(endSessionAt))
            : TypedResults.NoContent();
    }
}
