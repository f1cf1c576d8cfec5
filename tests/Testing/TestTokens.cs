using System.Text;
using Microsoft.IdentityModel.Tokens;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Testing;

/// <summary>Development tokens for tests, and the setting that makes a service accept them.</summary>
public static class TestTokens
{
    /// <summary>Value of <c>Authentication:SigningKey</c> for the service under test.</summary>
    public const string SigningKey = "a-signing-key-that-only-tests-use-0123456789";

    private static readonly SymmetricSecurityKey Key = new(Encoding.UTF8.GetBytes(SigningKey));

    /// <summary>A shopper's token.</summary>
    public static string Shopper(string name) => DevelopmentTokens.Issue(Key, name, [], TimeProvider.System.GetUtcNow());

    /// <summary>An operator's token.</summary>
    public static string Operator(string name = "olga") => DevelopmentTokens.Issue(Key, name, [Policies.OperatorRole], TimeProvider.System.GetUtcNow());
}
