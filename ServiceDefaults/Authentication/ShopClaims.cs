using System.Security.Claims;

namespace Shop.ServiceDefaults.Authentication;

/// <summary>The claims that Shop reads.</summary>
public static class ShopClaims
{
    /// <summary>Who it is.</summary>
    public const string Subject = "sub";

    /// <summary>What they may do; one claim for each element of the token's array.</summary>
    public const string Roles = "roles";

    /// <summary>The shopper's id: the token's <c>sub</c>.</summary>
    /// <exception cref="InvalidOperationException">The endpoint does not require authorization, and nobody is signed in.</exception>
    public static string ShopperId(this ClaimsPrincipal user)
    {
        ArgumentNullException.ThrowIfNull(user);
        return user.FindFirst(Subject)?.Value
            ?? throw new InvalidOperationException("Nobody is signed in: the endpoint must require authorization.");
    }
}
