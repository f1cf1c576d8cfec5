using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.IdentityModel.Tokens;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Gateway.DevelopmentLogin;

/// <summary>Who wants to be whom.</summary>
/// <param name="Name">1 to 64 letters, digits, dots, hyphens and underscores; becomes the token's <c>sub</c>.</param>
/// <param name="Roles">None, or <see cref="Policies.OperatorRole"/>.</param>
public sealed record TokenRequest(string Name, IReadOnlyList<string>? Roles = null);

/// <summary>The answer, in the shape of OAuth 2.0 (RFC 6749, section 5.1).</summary>
/// <param name="AccessToken">The token.</param>
/// <param name="TokenType">Always <c>Bearer</c>.</param>
/// <param name="ExpiresIn">Seconds that the token is valid.</param>
public sealed record TokenResponse(
    [property: JsonPropertyName("access_token")] string AccessToken,
    [property: JsonPropertyName("token_type")] string TokenType,
    [property: JsonPropertyName("expires_in")] int ExpiresIn);

/// <summary><c>POST /api/dev/token</c>: a token for any name, without a password.</summary>
internal static class DevelopmentTokenEndpoint
{
    private const int MaxNameLength = 64;

    /// <summary>Maps it in Development only: elsewhere the path does not exist, and there is no key to sign with.</summary>
    public static void MapDevelopmentTokens(this WebApplication app)
    {
        if (DevelopmentTokens.SigningKey(app.Configuration, app.Environment) is { } key)
            app.MapPost("/api/dev/token", (TokenRequest request, TimeProvider time) => Issue(key, request, time)).AllowAnonymous()
                .WithSummary("A token for any name, without a password; in Development only.")
                .WithRequestExample("""{"name":"ada","roles":["operator"]}""");
    }

    private static Results<Ok<TokenResponse>, ValidationProblem> Issue(SymmetricSecurityKey key, TokenRequest request, TimeProvider time)
    {
        var errors = Check(request);
        return errors.Any
            ? errors.ToProblem()
            : TypedResults.Ok(new TokenResponse(
                DevelopmentTokens.Issue(key, request.Name, (request.Roles ?? []).Distinct().ToArray(), time.GetUtcNow()),
                "Bearer",
                (int)DevelopmentTokens.Lifetime.TotalSeconds));
    }

    /// <summary>What is wrong with it, by field.</summary>
    public static ValidationErrors Check(TokenRequest request)
    {
        var errors = new ValidationErrors();
        if (request.Name.Length is 0 or > MaxNameLength || !request.Name.All(IsNameLetter))
            errors.Add("name", $"Must be 1 to {MaxNameLength} letters (a-z, A-Z), digits, dots, hyphens and underscores.");
        var roles = request.Roles ?? [];
        for (var i = 0; i < roles.Count; i++)
        {
            if (roles[i] != Policies.OperatorRole)
                errors.Add($"roles[{i}]", $"Must be \"{Policies.OperatorRole}\".");
        }
        return errors;
    }

    private static bool IsNameLetter(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_';
}
