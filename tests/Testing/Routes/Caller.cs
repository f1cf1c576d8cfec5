using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Testing.Routes;

/// <summary>Who sends a request; those before <see cref="Shopper"/> may do nothing that not everybody may, whatever their token says.</summary>
public enum Caller
{
    /// <summary>Without a token.</summary>
    Nobody,

    /// <summary>An operator's token of another issuer, with the right key.</summary>
    WrongIssuer,

    /// <summary>An operator's token signed with another key.</summary>
    WrongKey,

    /// <summary>An operator's token that is not signed (<c>alg: none</c>).</summary>
    Unsigned,

    /// <summary>An operator's token that was valid an hour ago.</summary>
    Expired,

    /// <summary>An operator's token that will be valid in an hour.</summary>
    NotYetValid,

    /// <summary>An operator's token for another audience.</summary>
    WrongAudience,

    /// <summary>An operator's token without the name of an operator.</summary>
    Nameless,

    /// <summary>The shopper whose the row's resource is.</summary>
    Shopper,

    /// <summary>Another shopper.</summary>
    OtherShopper,

    /// <summary>An operator.</summary>
    Operator,

    /// <summary>A device, by its key and without a token.</summary>
    Device,
}

/// <summary>Tokens of each <see cref="Caller"/>, for a process that takes <see cref="TestTokens.SigningKey"/>.</summary>
public static class CallerTokens
{
    /// <summary>The name of <see cref="Caller.Shopper"/>.</summary>
    public const string ShopperName = "matrix-shopper";

    private const string OtherKey = "another-signing-key-that-no-service-takes-0123";

    /// <summary>The caller's token; null for one that sends none.</summary>
    public static string? Of(Caller caller) => caller switch
    {
        Caller.WrongIssuer => Forge(issuer: "https://elsewhere.example"),
        Caller.WrongKey => Forge(key: OtherKey),
        Caller.Unsigned => Forge(key: null),
        Caller.Expired => Forge(from: TimeSpan.FromHours(-2)),
        Caller.NotYetValid => Forge(from: TimeSpan.FromHours(1)),
        Caller.WrongAudience => Forge(audience: "another-shop"),
        Caller.Nameless => Forge(subject: null),
        Caller.Shopper => TestTokens.Shopper(ShopperName),
        Caller.OtherShopper => TestTokens.Shopper("matrix-other"),
        Caller.Operator => TestTokens.Operator(),
        _ => null,
    };

    /// <summary>An operator's token that is right but for what is given.</summary>
    private static string Forge(string issuer = DevelopmentTokens.Issuer, string audience = DevelopmentTokens.Audience, string? key = TestTokens.SigningKey,
        string? subject = "olga", TimeSpan from = default)
    {
        var start = DateTime.UtcNow + from;
        var claims = new Dictionary<string, object> { [ShopClaims.Roles] = new[] { Policies.OperatorRole } };
        if (subject is not null)
            claims[ShopClaims.Subject] = subject;
        return new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer,
            Audience = audience,
            IssuedAt = start,
            NotBefore = start,
            Expires = start + TimeSpan.FromHours(1),
            Claims = claims,
            SigningCredentials = key is null ? null : new(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(key)), SecurityAlgorithms.HmacSha256),
        });
    }
}
