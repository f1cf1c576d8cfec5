using Microsoft.Net.Http.Headers;

namespace Shop.Gateway;

/// <summary>The web pages under wwwroot.</summary>
internal static class Pages
{
    // everything the pages load comes from here, nothing is inline, and nobody frames them
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>Serves <c>/</c> and the files it needs, with the headers that protect them.</summary>
    public static void UsePages(this WebApplication app)
    {
        app.UseDefaultFiles();
        app.UseStaticFiles(new StaticFileOptions
        {
            OnPrepareResponse = page =>
            {
                var headers = page.Context.Response.Headers;
                headers.ContentSecurityPolicy = ContentSecurityPolicy;
                // kept, and asked for again with its ETag: a new version shows at once
                headers[HeaderNames.CacheControl] = "no-cache";
            },
        });
    }
}
