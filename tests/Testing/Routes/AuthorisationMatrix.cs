using System.Text;
using System.Text.Json;
using Xunit;

namespace Shop.Testing.Routes;

/// <summary>Who may use a route.</summary>
public enum Access
{
    /// <summary>Everybody.</summary>
    Anyone,

    /// <summary>Whoever has signed in.</summary>
    SignedIn,

    /// <summary>The shopper whose it is; for others it does not exist.</summary>
    Owner,

    /// <summary>The shopper whose it is, and operators; for others it does not exist.</summary>
    OwnerOrOperator,

    /// <summary>Operators.</summary>
    Operator,

    /// <summary>The device whose key is sent.</summary>
    Device,
}

/// <summary>A row of the matrix.</summary>
/// <param name="Route">Method and path as the document has them, <c>GET /api/orders/{id}</c>; <see cref="RouteTable.AnyMethod"/> for a route that takes every method.</param>
/// <param name="Access">Who may use it.</param>
/// <param name="Answer">The status for who may.</param>
/// <param name="Path">What is asked for; the route's path, where it has no parameters.</param>
/// <param name="Body">The JSON that is sent.</param>
public sealed record RouteRow(string Route, Access Access, int Answer, string? Path = null, string? Body = null);

/// <summary>
/// Every route of a process, asked by every <see cref="Caller"/>. The routes are the process's own, so that one without a row is found, and the
/// statuses must be among those that its OpenAPI document tells of.
/// </summary>
/// <param name="services">The process's services.</param>
/// <param name="client">Speaks to the process, without following redirects.</param>
/// <param name="deviceKey">The key that <see cref="Caller.Device"/> sends.</param>
public sealed class AuthorisationMatrix(IServiceProvider services, HttpClient client, string deviceKey = "a key of no device")
{
    private const int Unauthorized = 401, Forbidden = 403, NotFound = 404;

    /// <summary>What every process answers to in Development.</summary>
    public static IReadOnlyList<RouteRow> OfEveryProcess { get; } =
    [
        new($"{RouteTable.AnyMethod} /health/live", Access.Anyone, 200),
        new($"{RouteTable.AnyMethod} /health/ready", Access.Anyone, 200),
        new("GET /openapi/{documentName}.json", Access.Anyone, 200, "/openapi/v1.json"),
    ];

    /// <summary>What every service on Messaging answers to.</summary>
    public static IReadOnlyList<RouteRow> OfMessaging(string service)
    {
        var (path, none) = ($"/api/ops/{service}", Guid.Empty);
        return
        [
            new($"GET {path}/flow", Access.Operator, 200),
            new($"GET {path}/dead-letters", Access.Operator, 200),
            new($"POST {path}/dead-letters/redrive", Access.Operator, 400, Body: "[]"),
            new($"GET {path}/dead-letters/redrives/{{id}}", Access.Operator, 404, $"{path}/dead-letters/redrives/{none}"),
            new($"POST {path}/dead-letters/{{id}}/redrive", Access.Operator, 404, $"{path}/dead-letters/{none}/redrive"),
            new($"POST {path}/dead-letters/{{id}}/discard", Access.Operator, 404, $"{path}/dead-letters/{none}/discard"),
            new($"GET {path}/refused-events", Access.Operator, 200),
            new($"POST {path}/refused-events/{{id}}/retry", Access.Operator, 404, $"{path}/refused-events/0/retry"),
            new($"POST {path}/refused-events/{{id}}/discard", Access.Operator, 404, $"{path}/refused-events/0/discard"),
        ];
    }

    /// <summary>
    /// Asks for every row as every caller, and fails with a line for each deviation: routes without a row, rows without a route, other statuses, statuses
    /// that the document does not tell of.
    /// </summary>
    public async Task HoldsAsync(IReadOnlyList<RouteRow> rows)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var routes = RouteTable.Of(services).SelectMany(route => RouteTable.Methods(route).Select(method => $"{method} {RouteTable.Path(route)}")).ToHashSet();
        var deviations = routes.Except(rows.Select(row => row.Route)).Select(route => $"{route} has no row")
            .Concat(rows.Select(row => row.Route).Except(routes).Select(row => $"{row} is no route")).ToList();
        // one that has just been started may not be ready yet
        await Eventually.BecomesTrueAsync(async () =>
        {
            using var ready = await client.GetAsync("/health/ready", cancellationToken);
            return ready.IsSuccessStatusCode;
        });
        using var document = JsonDocument.Parse(await client.GetStringAsync("/openapi/v1.json", cancellationToken));
        foreach (var row in rows)
        {
            foreach (var caller in Enum.GetValues<Caller>())
            {
                var status = await StatusAsync(row, caller, cancellationToken);
                if (status != Expected(row.Access, row.Answer, caller))
                    deviations.Add($"{row.Route} as {caller}: {status} instead of {Expected(row.Access, row.Answer, caller)}");
                if (!IsDescribed(document, row.Route, status))
                    deviations.Add($"{row.Route} as {caller}: {status} is not described");
            }
        }
        Assert.True(deviations.Count == 0, string.Join('\n', deviations));
    }

    private static int Expected(Access access, int answer, Caller caller) => (access, caller) switch
    {
        (Access.Anyone, _) or (Access.Device, Caller.Device) => answer,
        // somebody, but nobody that anything could be somebody's
        (not Access.Device, Caller.Nameless) => Forbidden,
        (Access.Device, _) or (_, < Caller.Shopper or Caller.Device) => Unauthorized,
        (Access.Operator, not Caller.Operator) => Forbidden,
        (Access.Owner, not Caller.Shopper) or (Access.OwnerOrOperator, Caller.OtherShopper) => NotFound,
        _ => answer,
    };

    private async Task<int> StatusAsync(RouteRow row, Caller caller, CancellationToken cancellationToken)
    {
        var (method, path) = row.Route.Split(' ') is [var first, var second] ? (first, second) : throw new ArgumentException($"{row.Route} is no method and path");
        using var request = new HttpRequestMessage(new(method == RouteTable.AnyMethod ? "GET" : method), row.Path ?? path);
        if (CallerTokens.Of(caller) is { } token)
            request.Headers.Authorization = new("Bearer", token);
        if (caller == Caller.Device)
            request.Headers.Add("X-Device-Key", deviceKey);
        if (method == "POST")
            request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        // what the gateway wants of those that sign in and out
        request.Headers.Add("X-Anti-Forgery", "1");
        if (row.Body is not null)
            request.Content = new StringContent(row.Body, Encoding.UTF8, "application/json");
        // a stream has no end
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return (int)answer.StatusCode;
    }

    /// <summary>Whether the document tells of the status; what it does not have, such as the probes, it need not.</summary>
    private static bool IsDescribed(JsonDocument document, string route, int status)
    {
        var (method, path) = (route.Split(' ')[0].ToLowerInvariant(), route.Split(' ')[1]);
        return !document.RootElement.GetProperty("paths").TryGetProperty(path, out var operations) || !operations.TryGetProperty(method, out var operation)
            || operation.GetProperty("responses").TryGetProperty($"{status}", out _);
    }
}
