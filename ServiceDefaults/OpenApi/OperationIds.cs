namespace Shop.ServiceDefaults.OpenApi;

/// <summary>Names operations for programs that are generated from the document.</summary>
internal static class OperationIds
{
    /// <summary>The prefix of all that the gateway passes on, which tells nothing.</summary>
    private const string Api = "api";

    /// <summary>The name of an operation without one of its own: <c>postOrdersByIdCancel</c> for <c>POST /api/orders/{id:guid}/cancel</c>.</summary>
    /// <param name="method">The method.</param>
    /// <param name="route">The route, with its constraints.</param>
    public static string Of(string method, string route) =>
        method.ToLowerInvariant() + string.Concat(route.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(segment => segment != Api).Select(Word));

    private static string Word(string segment) => segment is ['{', .. var parameter, '}']
        ? "By" + Capitalised(parameter.Split(':')[0].Trim('*', '?'))
        : string.Concat(segment.Split(['-', '.'], StringSplitOptions.RemoveEmptyEntries).Select(Capitalised));

    private static string Capitalised(string word) => char.ToUpperInvariant(word[0]) + word[1..];
}
