using Microsoft.Net.Http.Headers;
using Shop.ServiceDefaults;

namespace Shop.Gateway.SigningIn;

/// <summary>
/// Tells the shop's own pages from others that have a browser send its cookies along. Source: OWASP Cross-Site Request Forgery Prevention Cheat
/// Sheet, custom request headers and verifying the origin.
/// </summary>
internal static class AntiForgery
{
    /// <summary>A header, of any value, that a page of another origin cannot have a browser send unless CORS allows it, which for cookies it never does.</summary>
    public const string Header = "X-Anti-Forgery";

    /// <summary>What is said of it in the API's description.</summary>
    public const string Description = "Any value: pages of other sites cannot send it. All that changes something by the session's cookie wants it.";

    /// <summary>Whether the request changes something, and so must be a page's of ours.</summary>
    public static bool Concerns(HttpRequest request) =>
        !(HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method));

    /// <summary>What says that another page sent it.</summary>
    public static ValidationErrors Check(HttpRequest request)
    {
        var errors = new ValidationErrors();
        if (request.Headers[Header].Count != 1)
            errors.Add(Header, "Must be sent with what changes something by a cookie; any value does.");
        // Without the scheme: behind a proxy that ends TLS the gateway may not know it. "null", a hidden origin, is another one.
        if (request.Headers.Origin is { Count: > 0 } origin && !(Uri.TryCreate(origin, UriKind.Absolute, out var page) && page.Authority == HostOf(request)))
            errors.Add(HeaderNames.Origin, "Must be the shop's own.");
        return errors;
    }

    /// <summary>As an origin has it: without the port that its scheme implies.</summary>
    private static string HostOf(HttpRequest request) =>
        Uri.TryCreate($"{request.Headers.Origin.ToString().Split("://")[0]}://{request.Host}", UriKind.Absolute, out var host) ? host.Authority : "";
}
