using System.Net;
using Microsoft.AspNetCore.HttpOverrides;
using Shop.Gateway.SigningIn;

namespace Shop.Gateway.Edge;

/// <summary>What stands between strangers and the shop: rate limits, security headers, known proxies, other origins.</summary>
internal static class EdgeExtensions
{
    /// <summary>
    /// Registers it. Settings: <see cref="RateLimits"/>; <c>KnownProxies</c>, the addresses whose <c>X-Forwarded-For</c> and <c>-Proto</c> are believed, none
    /// unless given; <c>AllowedOrigins</c>, the origins whose pages may ask (CORS), none unless given.
    /// </summary>
    /// <exception cref="InvalidOperationException">A known proxy is no IP address.</exception>
    public static void AddEdge(this WebApplicationBuilder builder)
    {
        RateLimits.Add(builder);
        var proxies = KnownProxies(builder.Configuration);
        builder.Services.Configure<ForwardedHeadersOptions>(options =>
        {
            options.ForwardedHeaders = proxies.Length == 0 ? ForwardedHeaders.None : ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
            // as many as are known, one after the other: the first that is not is the client
            options.ForwardLimit = null;
            options.KnownIPNetworks.Clear();
            options.KnownProxies.Clear();
            foreach (var proxy in proxies)
                options.KnownProxies.Add(proxy);
        });
        var origins = builder.Configuration.GetSection("AllowedOrigins").Get<string[]>() ?? [];
        builder.Services.AddCors(cors => cors.AddDefaultPolicy(policy => policy.WithOrigins(origins).AllowAnyHeader().AllowAnyMethod()));
    }

    /// <summary>Before anything else.</summary>
    public static void UseEdge(this WebApplication app)
    {
        // what fails here is answered as what fails further in
        app.UseExceptionHandler();
        app.UseForwardedHeaders();
        app.UseSecurityHeaders();
        app.UseCors();
        // who comes back from the authority is answered by authentication itself
        app.UseWhen(context => SessionEndpoints.IsCallback(context.Request), callback => callback.UseRateLimiter());
        app.UseSessionCookie();
        // limits count by who has signed in, and count those whom authorization turns away
        app.UseAuthentication();
        app.UseRateLimiter();
    }

    private static IPAddress[] KnownProxies(IConfiguration configuration) =>
    [
        .. (configuration.GetSection("KnownProxies").Get<string[]>() ?? []).Select(proxy => IPAddress.TryParse(proxy, out var address)
            ? address
            : throw new InvalidOperationException($"KnownProxies: '{proxy}' is no IP address"))
    ];
}
