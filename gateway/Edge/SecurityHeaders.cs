using Microsoft.Net.Http.Headers;

namespace Shop.Gateway.Edge;

/// <summary>Headers that tell browsers what not to do with an answer. Source: OWASP HTTP Security Response Headers Cheat Sheet.</summary>
internal static class SecurityHeaders
{
    // an answer of the API is nothing that is shown, runs or is framed
    private const string ForData = "default-src 'none'; frame-ancestors 'none'";

    /// <summary>Puts them on every answer, errors and what services answer among them; a page's own policy stays.</summary>
    public static void UseSecurityHeaders(this WebApplication app) => app.Use((context, next) =>
    {
        var isData = context.Request.Path.StartsWithSegments("/api");
        context.Response.OnStarting(() =>
        {
            var headers = context.Response.Headers;
            if (headers.ContentSecurityPolicy.Count == 0)
                headers.ContentSecurityPolicy = ForData;
            // what is said to one is kept for nobody, unless its service says otherwise
            if (isData && headers.CacheControl.Count == 0)
                headers.CacheControl = "no-store";
            headers.Remove(HeaderNames.Server);
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()";
            if (context.Request.IsHttps)
                headers.StrictTransportSecurity = "max-age=31536000";
            return Task.CompletedTask;
        });
        return next(context);
    });
}
