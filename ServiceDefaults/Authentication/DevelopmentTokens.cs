using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Shop.ServiceDefaults.Authentication;

/// <summary>Tokens signed with a key that all of one machine's processes share, so that a laptop needs no identity provider.</summary>
public static class DevelopmentTokens
{
    /// <summary>The <c>iss</c> of a development token.</summary>
    public const string Issuer = "shop-development";

    /// <summary>The <c>aud</c> of a development token.</summary>
    public const string Audience = "shop";

    /// <summary>How long a development token is valid.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    private const string SettingName = "Authentication:SigningKey";

    // HMAC-SHA256 takes no key shorter than its output (RFC 7518, section 3.2)
    private const int MinKeyBytes = 32;

    /// <summary>The key of <c>Authentication__SigningKey</c>: the UTF-8 bytes of the setting's text; null where it is not set.</summary>
    /// <exception cref="InvalidOperationException">It is set outside Development, or shorter than 32 bytes.</exception>
    public static SymmetricSecurityKey? SigningKey(IConfiguration configuration, IHostEnvironment environment)
    {
        var text = configuration[SettingName];
        if (string.IsNullOrEmpty(text))
            return null;
        if (!environment.IsDevelopment())
            throw new InvalidOperationException(
                "Authentication__SigningKey is for Development only: whoever holds it can sign any token. Use Authentication__Authority.");

        var bytes = Encoding.UTF8.GetBytes(text);
        return bytes.Length >= MinKeyBytes
            ? new SymmetricSecurityKey(bytes)
            : throw new InvalidOperationException($"Authentication__SigningKey must be at least {MinKeyBytes} bytes long.");
    }

    /// <summary>Signs a token.</summary>
    /// <param name="key">What <see cref="SigningKey"/> returned.</param>
    /// <param name="subject">The shopper's or operator's name: the <c>sub</c>.</param>
    /// <param name="roles">The <c>roles</c>.</param>
    /// <param name="now">The moment of issue; the token is valid for <see cref="Lifetime"/> from it.</param>
    /// <returns>The token in compact form.</returns>
    public static string Issue(SymmetricSecurityKey key, string subject, IReadOnlyCollection<string> roles, DateTimeOffset now) =>
        new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Issuer,
            Audience = Audience,
            IssuedAt = now.UtcDateTime,
            NotBefore = now.UtcDateTime,
            Expires = (now + Lifetime).UtcDateTime,
            Claims = new Dictionary<string, object> { [ShopClaims.Subject] = subject, [ShopClaims.Roles] = roles.ToArray() },
            SigningCredentials = new SigningCredentials(key, SecurityAlgorithms.HmacSha256),
        });
}
