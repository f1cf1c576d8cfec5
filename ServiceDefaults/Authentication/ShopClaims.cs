using System.Globalization;
using System.Security.Claims;

namespace Shop.ServiceDefaults.Authentication;

/// <summary>The claims that Shop reads.</summary>
public static class ShopClaims
{
    /// <summary>Who it is.</summary>
    public const string Subject = "sub";

    /// <summary>What they may do; one claim for each element of the token's array.</summary>
    public const string Roles = "roles";

    /// <summary>Seconds since 1970 after which a token must not be accepted. Source: RFC 7519, section 4.1.4.</summary>
    private const string Expiry = "exp";

    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(1);

    /// <summary>How long the token of the request is valid, at most as long as a timer takes: a stream ends with it.</summary>
    public static TimeSpan RestOfToken(this ClaimsPrincipal user, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(user);
        ArgumentNullException.ThrowIfNull(time);
        return long.TryParse(user.FindFirst(Expiry)?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var expiry)
            ? TimeSpan.FromMilliseconds(Math.Clamp(expiry * 1000.0 - time.GetUtcNow().ToUnixTimeMilliseconds(), 0, LongestTimer.TotalMilliseconds))
            : LongestTimer;
    }

    /// <summary>The shopper's id: the token's <c>sub</c>.</summary>
    /// <exception cref="InvalidOperationException">The endpoint does not require authorization, and nobody is signed in.</exception>
    public static string ShopperId(this ClaimsPrincipal user)
    {
        ArgumentNullException.ThrowIfNull(user);
        return user.FindFirst(Subject)?.Value
            ?? throw new InvalidOperationException("Nobody is signed in: the endpoint must require authorization.");
    }
}
