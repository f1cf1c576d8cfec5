using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Hosting;
using Shop.Testing;
using Shop.Testing.Routes;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;

namespace Shop.Gateway.Tests;

/// <summary>The gateway's document beside those of the services as they are.</summary>
public sealed partial class WholeDocumentTests(ServicesInDevelopment services) : IClassFixture<ServicesInDevelopment>
{
    private static readonly string[] Names = ["orders", "inventory", "payments", "activity"];

    [Fact]
    public async Task Nothing_that_a_service_describes_is_missing_and_each_route_of_the_gateway_leads_to_something()
    {
        await using var gateway = Gateway();
        var operations = await OperationsAsync(gateway.Client);

        var missing = new List<string>();
        foreach (var name in Names)
        {
            missing.AddRange((await OperationsAsync(services[name].Client)).Keys
                .Where(described => described.Contains(" /api/", StringComparison.Ordinal) && !(operations.TryGetValue(described, out var operation) && ServiceOf(operation) == name)));
        }
        Assert.Empty(missing);

        var routes = RouteTable.Of(gateway.Services).Select(route => route.Metadata.GetMetadata<RouteModel>()?.Config).OfType<RouteConfig>().ToList();
        Assert.NotEmpty(routes);
        Assert.Empty(routes.Where(route => !operations.Any(operation => ServiceOf(operation.Value) == route.ClusterId && IsWithin(operation.Key.Split(' ')[1], route.Match.Path!)))
            .Select(route => route.Match.Path));
    }

    [Fact]
    public async Task Each_operation_has_a_name_of_its_own()
    {
        await using var gateway = Gateway();
        var names = (await OperationsAsync(gateway.Client)).Values.Select(operation => operation["operationId"]!.GetValue<string>()).ToList();
        Assert.Equal(names.Distinct(StringComparer.OrdinalIgnoreCase), names);
        Assert.All(names, name => Assert.Matches("^[a-z][A-Za-z0-9]+$", name));
        // programs are made from them: that they stay is promised
        Assert.Superset(new HashSet<string>(["postOrders", "getOrdersById", "getOrdersByIdStream", "postOpsStockBySkuReceipts", "postDevToken", "getOpsPaymentsById"]), names.ToHashSet());
    }

    [Fact]
    public async Task An_idempotency_key_is_declared_by_all_that_read_it_and_required()
    {
        await using var gateway = Gateway();
        var keys = (await OperationsAsync(gateway.Client)).SelectMany(operation => Headers(operation.Value).Where(header => header.Name == "Idempotency-Key").Select(header => (Operation: operation.Key, Key: header.Parameter))).ToList();
        Assert.Equal(["POST /api/ops/stock/{sku}/corrections", "POST /api/ops/stock/{sku}/receipts", "POST /api/orders"], keys.Select(key => key.Operation).Order(StringComparer.Ordinal));
        Assert.All(keys, key => Assert.Equal((true, 128), (key.Key["required"]!.GetValue<bool>(), key.Key["schema"]!["maxLength"]!.GetValue<int>())));
    }

    [Fact]
    public async Task Streams_are_described_with_their_events_and_with_how_one_goes_on()
    {
        await using var gateway = Gateway();
        var operations = await OperationsAsync(gateway.Client);
        var streams = operations.Where(operation => operation.Value["responses"]?["200"]?["content"]?["text/event-stream"]?["schema"] is not null).Select(operation => operation.Key);
        Assert.Equal(["GET /api/activity/stream", "GET /api/orders/{id}/stream"], streams.Order(StringComparer.Ordinal));
        Assert.Contains(Headers(operations["GET /api/orders/{id}/stream"]), header => header.Name == "Last-Event-ID");
    }

    [Fact]
    public async Task What_is_too_much_or_cannot_be_done_now_is_described_with_when_to_come_again()
    {
        await using var gateway = Gateway();
        var operations = await OperationsAsync(gateway.Client);
        Assert.Empty(operations.Where(operation => !((string[])["429", "503"]).All(status => operation.Value["responses"]![status]?["headers"]?["Retry-After"] is not null)).Select(operation => operation.Key));
        foreach (var operation in (string[])["POST /api/activity", "POST /api/devices/{sensor}/readings"])
            Assert.Contains("broker is away", operations[operation]["responses"]!["503"]!["description"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_counts_against_which_limit_is_told_as_it_is()
    {
        await using var gateway = Gateway();
        var limits = (await OperationsAsync(gateway.Client)).SelectMany(operation => operation.Value["x-rate-limit"]!.AsArray().Select(limit => (Name: limit!["limit"]!.GetValue<string>(), Operation: operation.Key)))
            .ToLookup(limit => limit.Name, limit => limit.Operation);
        var text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "security.md"), TestContext.Current.CancellationToken);
        var told = LimitRow().Matches(text).ToDictionary(row => row.Groups["limit"].Value, row => Operation().Matches(row.Groups["requests"].Value).Select(operation => operation.Groups[1].Value).Order(StringComparer.Ordinal).ToList());

        Assert.Equal(["Activity", "Devices", "Orders", "SignIn"], told.Keys.Order(StringComparer.Ordinal));
        Assert.All(told, row => Assert.Equal(limits[row.Key].Order(StringComparer.Ordinal), row.Value));
        Assert.Empty(limits.Select(limit => limit.Key).Except([.. told.Keys, "Other"]));
    }

    private GatewayUnderTest Gateway() => new(Environments.Development, [.. Names.Select(name => (name, new[] { services[name].Address }))]);

    /// <summary>What a document describes, by method and path.</summary>
    private static async Task<IReadOnlyDictionary<string, JsonObject>> OperationsAsync(HttpClient client)
    {
        var document = JsonNode.Parse(await client.GetStringAsync("/openapi/v1.json", TestContext.Current.CancellationToken))!;
        return document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Where(member => member.Value is JsonObject)
            .Select(operation => (Name: $"{operation.Key.ToUpperInvariant()} {path.Key}", Described: operation.Value!.AsObject())))
            .ToDictionary(operation => operation.Name, operation => operation.Described);
    }

    private static IEnumerable<(string Name, JsonNode Parameter)> Headers(JsonObject operation) => (operation["parameters"]?.AsArray() ?? Enumerable.Empty<JsonNode?>())
        .Where(parameter => parameter!["in"]!.GetValue<string>() == "header").Select(parameter => (parameter!["name"]!.GetValue<string>(), parameter!));

    private static string ServiceOf(JsonObject operation) => operation["tags"]![0]!.GetValue<string>();

    private static bool IsWithin(string path, string route) => route.Split("/{**", 2) is [var prefix, _] ? path == prefix || path.StartsWith(prefix + "/", StringComparison.Ordinal) : path == route;

    [GeneratedRegex(@"^ *\| `(?<limit>Orders|Activity|SignIn|Devices)` \|[^|]*\|(?<requests>[^|]*)\|$", RegexOptions.Multiline)]
    private static partial Regex LimitRow();

    [GeneratedRegex("`([A-Z]+ /[^`]+)`")]
    private static partial Regex Operation();
}
