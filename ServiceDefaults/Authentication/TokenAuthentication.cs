using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.IdentityModel.Tokens;

namespace Shop.ServiceDefaults.Authentication;

/// <summary>Verifies bearer tokens (RFC 6750, RFC 7519): an OIDC authority's, or in Development Shop's own.</summary>
public static class TokenAuthentication
{
    // services and authority keep time by NTP: a few seconds cover them, the default of five minutes is a stolen token's gift
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(5);

    /// <summary>Registers it. Settings: <c>Authentication__Authority</c>, an OIDC issuer, and <c>Authentication__Audience</c>.</summary>
    /// <exception cref="InvalidOperationException">Neither an authority nor a development key is configured, or a
    /// development key outside Development.</exception>
    internal static void AddTokenAuthentication(this IHostApplicationBuilder builder)
    {
        var settings = builder.Configuration.GetSection("Authentication");
        var developmentKey = DevelopmentTokens.SigningKey(builder.Configuration, builder.Environment);
        var authority = settings["Authority"];
        var audience = settings["Audience"];
        if (developmentKey is null && (string.IsNullOrEmpty(authority) || string.IsNullOrEmpty(audience)))
            throw new InvalidOperationException(
                "Tokens cannot be verified: set Authentication__Authority and Authentication__Audience, or in Development Authentication__SigningKey.");

        builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer(options =>
        {
            // claims keep the names they have in the token
            options.MapInboundClaims = false;
            options.TokenValidationParameters.NameClaimType = ShopClaims.Subject;
            options.TokenValidationParameters.RoleClaimType = ShopClaims.Roles;
            options.TokenValidationParameters.ClockSkew = ClockSkew;
            if (developmentKey is null)
            {
                options.Authority = authority;
                options.Audience = audience;
                options.RequireHttpsMetadata = !IsOnThisMachine(authority!);
            }
            else
            {
                options.TokenValidationParameters.IssuerSigningKey = developmentKey;
                options.TokenValidationParameters.ValidIssuer = DevelopmentTokens.Issuer;
                options.TokenValidationParameters.ValidAudience = DevelopmentTokens.Audience;
                options.TokenValidationParameters.ValidAlgorithms = [SecurityAlgorithms.HmacSha256];
            }
        });
        // a key that the authority took back signs nothing: by default what was known before is tried for another hour
        builder.Services.PostConfigure<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme, options =>
        {
            if (options.ConfigurationManager is BaseConfigurationManager manager)
                manager.UseLastKnownGoodConfiguration = false;
        });
        // AddAuthentication brings data protection, which at start writes a key file to the user's home; bearer tokens need none
        foreach (var service in builder.Services.Where(service => service.ImplementationType?.Name == "DataProtectionHostedService").ToArray())
            builder.Services.Remove(service);

        builder.Services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAssertion(IsNoRoute).Build())
            .SetDefaultPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().RequireClaim(ShopClaims.Subject).Build())
            .AddPolicy(Policies.Operator, policy => policy
                .RequireAuthenticatedUser().RequireClaim(ShopClaims.Subject).RequireRole(Policies.OperatorRole));
    }

    /// <summary>Whether what is said to the authority leaves the machine, and so must be encrypted.</summary>
    public static bool IsOnThisMachine(string authority) => Uri.TryCreate(authority, UriKind.Absolute, out var address) && address.IsLoopback;

    /// <summary>
    /// Whether there is nothing to close: a route about which nobody decided who may use it is closed to everyone, and what is no route
    /// (an unknown path, another method, a page's file) gets the answer that it is.
    /// </summary>
    private static bool IsNoRoute(AuthorizationHandlerContext context) =>
        context.Resource is HttpContext http && http.GetEndpoint() is not RouteEndpoint;
}
