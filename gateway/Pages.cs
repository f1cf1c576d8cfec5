using Microsoft.AspNetCore.Routing.Template;
using Microsoft.Extensions.FileProviders;

namespace Shop.Gateway;

/// <summary>The web pages under wwwroot.</summary>
internal static class Pages
{
    // everything the pages load comes from here, nothing is inline, and nobody frames them
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private const string Store = "/store/index.html";

    /// <summary>The addresses of the store and of the control room: each is one document, whose scripts show what the address says.</summary>
    private static readonly (string Document, TemplateMatcher Path)[] Documents =
    [
        .. DocumentAt(Store, ["", "products/{sku}", "basket", "checkout", "orders", "orders/{id}", "sign-in"]),
        .. DocumentAt("/control/index.html",
        [
            "control", "control/orders", "control/orders/{id}", "control/stock", "control/stock/{sku}", "control/sensors", "control/payments",
            "control/messages", "control/activity", "control/logs", "control/faults",
        ]),
    ];

    /// <summary>Registers what <see cref="UsePages"/> needs.</summary>
    public static void AddPages(this WebApplicationBuilder builder) =>
        builder.Services.AddResponseCompression(compression => compression.EnableForHttps = true);

    /// <summary>Serves the pages and the files they need, with the headers that protect them.</summary>
    public static void UsePages(this WebApplication app)
    {
        app.Use((context, next) =>
        {
            if (Array.Find(Documents, page => page.Path.TryMatch(context.Request.Path, [])) is { Document: { } document })
                context.Request.Path = document;
            return next(context);
        });
        // only files, in which there is nothing secret whose length could tell of it; services' answers pass as they are
        app.UseWhen(context => !context.Request.Path.StartsWithSegments("/api"), pages => pages.UseResponseCompression());
        app.UseStaticFiles(new StaticFileOptions
        {
            OnPrepareResponse = page =>
            {
                var headers = page.Context.Response.Headers;
                headers.ContentSecurityPolicy = ContentSecurityPolicy;
                // kept, and asked for again with its ETag: a new version shows at once
                headers.CacheControl = "no-cache";
            },
        });
        var files = app.Environment.WebRootFileProvider;
        app.Use((context, next) => context.GetEndpoint() is null && IsVisitor(context.Request) ? SayNothingIsHereAsync(context.Response, files.GetFileInfo(Store)) : next(context));
    }

    /// <summary>Whether somebody looks at an address in a browser; programs, and pages' scripts, do not name HTML.</summary>
    private static bool IsVisitor(HttpRequest request) => (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        && !request.Path.StartsWithSegments("/api") && TakesPage(request);

    /// <summary>Whether the answer is shown to somebody, who can do nothing with JSON.</summary>
    public static bool TakesPage(HttpRequest request) => request.GetTypedHeaders().Accept.Any(type => type.MediaType == "text/html" && type.Quality is not 0);

    /// <summary>The store's page, whose script finds that it has nothing at this address.</summary>
    private static Task SayNothingIsHereAsync(HttpResponse response, IFileInfo store)
    {
        response.StatusCode = StatusCodes.Status404NotFound;
        response.ContentType = "text/html";
        response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
        response.Headers.CacheControl = "no-store";
        return response.SendFileAsync(store);
    }

    private static IEnumerable<(string Document, TemplateMatcher Path)> DocumentAt(string document, string[] paths) =>
        paths.Select(path => (document, new TemplateMatcher(TemplateParser.Parse(path), [])));
}
