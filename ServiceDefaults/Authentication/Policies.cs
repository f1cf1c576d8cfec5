namespace Shop.ServiceDefaults.Authentication;

/// <summary>Names of the authorization policies; a plain <c>RequireAuthorization()</c> takes any authenticated shopper.</summary>
public static class Policies
{
    /// <summary>Policy: the token has the role <see cref="OperatorRole"/>.</summary>
    public const string Operator = "operator";

    /// <summary>The role of the people who run the shop.</summary>
    public const string OperatorRole = "operator";
}
