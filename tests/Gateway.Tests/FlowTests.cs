using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Hosting;

namespace Shop.Gateway.Tests;

/// <summary><c>GET /api/ops/flow</c>: the picture of the whole shop, from what each service says.</summary>
public sealed class FlowTests : IAsyncLifetime
{
    private static readonly string[] Names = ["activity", "inventory", "orders", "payments"];

    private readonly Dictionary<string, FakeService> _services = Names.ToDictionary(name => name, _ => new FakeService());

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        foreach (var (name, service) in _services)
        {
            service.Answers[$"/api/ops/{name}/flow"] = Flow(name, produced: 10, lag: "2");
            await service.InitializeAsync();
        }
        _services["activity"].Answers["/api/ops/alarms"] = """{"items":[{},{},{}],"next":null}""";
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _services.Values)
            await service.DisposeAsync();
    }

    [Fact]
    public async Task The_services_answers_are_put_together()
    {
        await using var gateway = Gateway();
        var flow = await ReadAsync(gateway);

        Assert.Equal(["gateway up", "activity up", "inventory up", "orders up", "payments up"],
            Each(flow, "services", service => $"{service.GetProperty("service").GetString()} {service.GetProperty("state").GetString()}"));
        // a topic to which several publish is one
        Assert.Equal(["activity-events 10 5 activity", "inventory-events 10 5 inventory", "logs 100 7 activity,inventory,orders,payments", "orders-events 10 5 orders", "payments-events 10 5 payments"],
            Each(flow, "topics", topic => $"{topic.GetProperty("topic").GetString()} {topic.GetProperty("produced")} {topic.GetProperty("lastMinute")} {string.Join(',', topic.GetProperty("publishers").EnumerateArray())}"));
        Assert.Equal(["activity.feed 2", "inventory.feed 2", "orders.feed 2", "payments.feed 2"],
            Each(flow, "groups", group => $"{group.GetProperty("group").GetString()} {group.GetProperty("lag")}"));
        Assert.Equal((4, 8, 12, 3, true), (flow.GetProperty("outboxDepth").GetInt64(), flow.GetProperty("deadLetters").GetInt64(), flow.GetProperty("refusedEvents").GetInt64(),
            flow.GetProperty("openAlarms").GetInt32(), flow.GetProperty("brokerAnswers").GetBoolean()));
        // they are asked as who asks, so that they check it themselves
        Assert.All(_services.Values.SelectMany(service => service.Requests), request => Assert.StartsWith("Bearer ", request.Authorization, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Of_a_service_that_is_away_the_last_figures_stay_with_their_time_and_it_is_said_since_when()
    {
        await using var gateway = Gateway();
        var before = await ReadAsync(gateway);
        await _services["orders"].StopAsync();
        var first = await ReadAsync(gateway);
        var second = await ReadAsync(gateway);

        var away = Service(second, "orders");
        Assert.Equal("away", away.GetProperty("state").GetString());
        Assert.Equal(Service(first, "orders").GetProperty("since").GetDateTimeOffset(), away.GetProperty("since").GetDateTimeOffset());
        Assert.True(away.GetProperty("since").GetDateTimeOffset() > before.GetProperty("at").GetDateTimeOffset());
        Assert.Equal(Service(before, "orders").GetProperty("asOf").GetDateTimeOffset(), away.GetProperty("asOf").GetDateTimeOffset());
        Assert.Contains("orders-events", Each(second, "topics", topic => topic.GetProperty("topic").GetString()!));
        Assert.Equal("up", Service(second, "payments").GetProperty("state").GetString());
        Assert.True(Service(second, "payments").GetProperty("asOf").GetDateTimeOffset() > away.GetProperty("asOf").GetDateTimeOffset());
    }

    [Fact]
    public async Task A_service_that_is_not_ready_is_degraded_and_what_was_never_told_is_null()
    {
        _services["inventory"].Ready = false;
        await _services["activity"].StopAsync();
        _services["payments"].Answers["/api/ops/payments/flow"] = Flow("payments", produced: 0, lag: "null", brokerAnswers: "false");
        await using var gateway = Gateway();
        var flow = await ReadAsync(gateway);

        Assert.Equal("degraded", Service(flow, "inventory").GetProperty("state").GetString());
        Assert.Equal((1, 0), (Service(flow, "inventory").GetProperty("instances").GetInt32(), Service(flow, "inventory").GetProperty("ready").GetInt32()));
        Assert.Equal(JsonValueKind.Null, Service(flow, "activity").GetProperty("asOf").ValueKind);
        Assert.Equal(JsonValueKind.Null, flow.GetProperty("openAlarms").ValueKind);
        Assert.False(flow.GetProperty("brokerAnswers").GetBoolean());
        Assert.Contains("payments.feed null", Each(flow, "groups", group => $"{group.GetProperty("group").GetString()} {group.GetProperty("lag").GetRawText()}"));
    }

    [Fact]
    public async Task It_is_for_operators()
    {
        await using var gateway = Gateway();
        using var nobody = await gateway.GetAsync("/api/ops/flow");
        await Problem.ReadAsync(nobody, HttpStatusCode.Unauthorized);
        using var shopper = await gateway.GetAsync("/api/ops/flow", await gateway.TokenAsync("ada"));
        await Problem.ReadAsync(shopper, HttpStatusCode.Forbidden);
        Assert.All(_services.Values, service => Assert.Empty(service.Requests));
    }

    private GatewayUnderTest Gateway() => new(Environments.Development, [.. _services.Select(service => (service.Key, new[] { service.Value.Address }))]);

    private static async Task<JsonElement> ReadAsync(GatewayUnderTest gateway)
    {
        using var response = await gateway.GetAsync("/api/ops/flow", await gateway.TokenAsync("olga", "operator"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation));
        return document.RootElement.Clone();
    }

    private static string[] Each(JsonElement flow, string list, Func<JsonElement, string> text) => [.. flow.GetProperty(list).EnumerateArray().Select(text)];

    private static JsonElement Service(JsonElement flow, string name) => flow.GetProperty("services").EnumerateArray().Single(service => service.GetProperty("service").GetString() == name);

    private static string Flow(string service, int produced, string lag, string brokerAnswers = "true") => $$"""
        {"service":"{{service}}","brokerAnswers":{{brokerAnswers}},"outbox":{"depth":1,"oldestSeconds":0.5,"refused":3},"deadLetters":2,"parked":4,
         "topics":[{"topic":"{{service}}-events","partitions":3,"produced":{{produced}},"lastMinute":5},{"topic":"logs","partitions":3,"produced":100,"lastMinute":7}],
         "groups":[{"group":"{{service}}.feed","deadLetters":2,"parked":4,"topics":[{"topic":"orders-events","handled":8,"lag":{{lag}}}]}]}
        """;
}
