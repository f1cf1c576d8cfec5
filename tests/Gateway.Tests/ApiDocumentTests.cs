using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Shop.AppHost.Running;
using Shop.Testing.Routes;
using Yarp.ReverseProxy.Model;

namespace Shop.Gateway.Tests;

/// <summary>What is known of the gateway's routes.</summary>
public sealed class ApiDocumentTests
{
    [Fact]
    public async Task Every_route_is_decided_about_and_the_gateways_own_are_described()
    {
        await using var service = new FakeService { Document = "{}" };
        await service.InitializeAsync();
        await using var gateway = new GatewayUnderTest(Environments.Development, [.. ((string[])["orders", "inventory", "payments", "activity"]).Select(name => (name, new[] { service.Address }))]);
        Assert.Empty(RouteRules.Undecided(gateway.Services));
        // the other routes are the services', which describe them
        Assert.Empty(await RouteRules.UndescribedAsync(gateway.Services, gateway.Client, route => route.RoutePattern.RawText!.StartsWith("/api", StringComparison.Ordinal)
            && route.Metadata.GetMetadata<RouteModel>() is null && route.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is not { ExcludeFromDescription: true }));
    }

    [Fact]
    public async Task What_the_services_answer_to_through_the_gateway_is_in_one_document()
    {
        await using FakeService orders = new(), inventory = new(), others = new();
        foreach (var service in (FakeService[])[orders, inventory, others])
            await service.InitializeAsync();
        others.Document = "{}";
        orders.Document = Document("/api/orders/{id}", "integer", "/internal");
        inventory.Document = Document("/api/catalog", "string", "/api/orders/elsewhere");
        await using var gateway = new GatewayUnderTest(Environments.Development,
            ("orders", [orders.Address]), ("inventory", [inventory.Address]), ("payments", [others.Address]), ("activity", [others.Address]));

        var document = JsonNode.Parse(await gateway.Client.GetStringAsync("/openapi/v1.json", TestContext.Current.CancellationToken))!;

        Assert.Equal(["/api/catalog", "/api/dev/token", "/api/ops/faults/payment-provider", "/api/ops/flow", "/api/orders/{id}", "/api/session"], document["paths"]!.AsObject().Select(path => path.Key).Where(path => !path.StartsWith("/health")).Order(StringComparer.Ordinal));
        // two services' types of one name are two types, and one that is the same is one
        Assert.Equal("string", TypeOf(document, "/api/catalog"));
        Assert.Equal("integer", TypeOf(document, "/api/orders/{id}"));
        Assert.Single(document["components"]!["schemas"]!.AsObject(), schema => schema.Key.EndsWith("Money"));
    }

    [Fact]
    public async Task Each_operation_says_which_limits_it_counts_against_and_what_is_beyond_them()
    {
        await using FakeService orders = new(), inventory = new(), others = new();
        foreach (var service in (FakeService[])[orders, inventory, others])
            await service.InitializeAsync();
        others.Document = "{}";
        orders.Document = Document("/api/orders/{id}", "integer", "/internal");
        inventory.Document = """
            {"openapi":"3.1.1","info":{"title":"x","version":"1"},
             "paths":{"/api/devices/{sensor}/readings":{"post":{"description":"Readings.","responses":{"202":{"description":"Accepted"},"429":{"description":"Send less."}}}}}}
            """;
        await using var gateway = new GatewayUnderTest(Environments.Development, new Dictionary<string, string> { ["RateLimits:Devices:PerSecond"] = "1234", ["RateLimits:Devices:Burst"] = "5678" },
            ("orders", [orders.Address]), ("inventory", [inventory.Address]), ("payments", [others.Address]), ("activity", [others.Address]));

        var paths = JsonNode.Parse(await gateway.Client.GetStringAsync("/openapi/v1.json", TestContext.Current.CancellationToken))!["paths"]!;

        Assert.Equal(["Other"], Limits("/api/orders/{id}", "get"));
        Assert.Equal(["SignIn"], Limits("/api/session", "delete"));
        Assert.Equal(["Other"], Limits("/api/session", "get"));
        Assert.Equal(["Devices", "Other"], Limits("/api/devices/{sensor}/readings", "post"));
        var readings = paths["/api/devices/{sensor}/readings"]!["post"]!;
        Assert.Equal((1234, 5678), (readings["x-rate-limit"]![0]!["perSecond"]!.GetValue<int>(), readings["x-rate-limit"]![0]!["burst"]!.GetValue<int>()));
        Assert.StartsWith("Readings.\n\nCounts against the rate limit `Devices`", readings["description"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.StartsWith("Send less. Too many", readings["responses"]!["429"]!["description"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.NotNull(paths["/api/orders/{id}"]!["get"]!["responses"]!["429"]!["headers"]!["Retry-After"]);

        string[] Limits(string path, string method) => [.. paths[path]![method]!["x-rate-limit"]!.AsArray().Select(limit => limit!["limit"]!.GetValue<string>())];
    }

    [Fact]
    public async Task A_document_that_would_lack_a_service_is_503()
    {
        await using var gateway = new GatewayUnderTest(Environments.Development, ("orders", [$"http://127.0.0.1:{Ports.Free()}"]));
        using var response = await gateway.GetAsync("/openapi/v1.json");
        await Problem.ReadAsync(response, HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task The_page_to_try_it_loads_nothing_from_elsewhere()
    {
        await using var gateway = new GatewayUnderTest(Environments.Development);
        using var page = await gateway.GetAsync("/docs/");
        var html = await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("openapi/v1.json", html, StringComparison.Ordinal);
        Assert.DoesNotContain("https://", html, StringComparison.Ordinal);
        Assert.DoesNotContain("https:", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    private static string Document(string path, string type, string other) => """
        {"openapi":"3.1.1","info":{"title":"x","version":"1"},
         "paths":{"PATH":{"get":{"responses":{"200":{"description":"OK","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Line"}}}}}}},"OTHER":{}},
         "components":{"schemas":{"Line":{"type":"TYPE"},"Money":{"type":"number"}}}}
        """.Replace("PATH", path).Replace("OTHER", other).Replace("TYPE", type);

    private static string TypeOf(JsonNode document, string path)
    {
        var reference = document["paths"]![path]!["get"]!["responses"]!["200"]!["content"]!["application/json"]!["schema"]!["$ref"]!.GetValue<string>();
        return document["components"]!["schemas"]![reference.Split('/')[^1]]!["type"]!.GetValue<string>();
    }

    [Fact]
    public async Task Outside_Development_there_is_no_document()
    {
        await using var production = new GatewayUnderTest(Environments.Production);
        Assert.Empty(RouteRules.Undecided(production.Services));
        using var response = await production.GetAsync("/openapi/v1.json");
        await Problem.ReadAsync(response, HttpStatusCode.NotFound);
    }
}
