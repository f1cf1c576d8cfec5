namespace Shop.Gateway.Edge;

/// <summary>A request's cookies, as ASP.NET Core reads them.</summary>
internal static class RequestCookies
{
    /// <summary>The header of all cookies but some; empty where none is left. Made of what was read: no other way of writing one of them is left.</summary>
    public static string Without(this IRequestCookieCollection cookies, Func<string, bool> isLeftOut) =>
        string.Join("; ", cookies.Where(cookie => !isLeftOut(cookie.Key)).Select(cookie => $"{cookie.Key}={Uri.EscapeDataString(cookie.Value)}"));
}
