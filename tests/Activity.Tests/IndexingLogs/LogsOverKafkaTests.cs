using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;
using Shop.Activity.Tests.Hosting;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Activity.Tests.IndexingLogs;

/// <summary>Log lines from their topic to operators, with their orders and alarms.</summary>
public sealed class LogsOverKafkaTests(ShopFixture shops)
{
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";

    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    [Long]
    [Theory, MemberData(nameof(Brokers))]
    public async Task Lines_are_found_by_each_of_their_properties_and_page_by_page(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        using var kafka = new KafkaWriter(shop.Kafka);
        var (service, order) = ($"svc-{Guid.NewGuid():N}", Guid.CreateVersion7());
        var trace = Guid.CreateVersion7().ToString("N");
        string[] levels = ["debug", "information", "warning", "warning"];
        for (var i = 0; i < levels.Length; i++)
            await kafka.PublishAsync(Line(service, levels[i], $"line {i} of 100%_x", i == 1 ? "Something" : null, i == 2 ? trace : null, i == 3 ? order : null));
        await kafka.WriteAsync(Topics.Logs, service, "shop.logs.log-written.v1", """{"service":1}"""u8.ToArray());
        await kafka.WriteAsync(Topics.Logs, service, "shop.logs.log-written.v1", "nonsense"u8.ToArray());
        await kafka.WriteAsync(Topics.Logs, service, "shop.logs.log-written.v1", JsonSerializer.SerializeToUtf8Bytes(Line(service, "odd", "no such level"), ContractsJson.Default.LogWritten));

        await Eventually.BecomesAsync("3 2 1 0", () => NumbersAsync(shop, $"?service={service}"));
        Assert.Equal("3 2", await NumbersAsync(shop, $"?service={service}&level=warning"));
        Assert.Equal("1", await NumbersAsync(shop, $"?service={service}&event=Something"));
        Assert.Equal("2", await NumbersAsync(shop, $"?trace={trace.ToUpperInvariant()}"));
        Assert.Equal("3", await NumbersAsync(shop, $"?order={order}"));
        Assert.Equal("2", await NumbersAsync(shop, $"?service={service}&text=LINE%202"));
        Assert.Equal("3 2 1 0", await NumbersAsync(shop, $"?service={service}&text=100%25_x"));
        Assert.Equal("", await NumbersAsync(shop, $"?service={service}&text=100_"));
        var first = await shop.ReadAsync($"/api/ops/logs?service={service}&limit=3");
        Assert.Equal("0", await NumbersAsync(shop, $"?service={service}&limit=3&after={first.GetProperty("next").GetString()}"));
        var line = first.GetProperty("items")[0];
        Assert.Equal((service, "warning", order), (line.GetProperty("service").GetString(), line.GetProperty("level").GetString(), line.GetProperty("order").GetGuid()));
        Assert.Equal(order.ToString(), line.GetProperty("fields").GetProperty("OrderId").GetString());
    }

    [Long]
    [Fact]
    public async Task An_error_is_an_alarm_with_its_line_its_trace_and_its_order_until_it_has_ended()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        await using var shop = await ShopFixture.StartAsync(broker.BootstrapServers, await shops.CreateDatabaseAsync(), ("Logs:AlarmWindow", "00:00:30"), ("Logs:AlarmCalm", "00:00:30"));
        using var kafka = new KafkaWriter(shop.Kafka);
        var order = Guid.CreateVersion7();
        // the order's own trace is how a line that does not name it is about it
        await kafka.PublishAsync(new OrderConfirmed(order), trace: Trace);
        await Eventually.BecomesAsync(1, async () => (await shop.ReadAsync($"/api/activity/timeline?trace={Trace}")).GetProperty("items").GetArrayLength());
        // of yesterday: kept, and no reason for an alarm
        await kafka.PublishAsync(Line("payments", "error", "old", "OldError") with { WrittenAt = DateTimeOffset.UtcNow.AddDays(-1) });
        for (var i = 0; i < 3; i++)
            await kafka.PublishAsync(Line("payments", "error", "it broke", "ProviderFailed", Trace));

        JsonElement alarm = default;
        await Eventually.BecomesAsync(1, async () =>
        {
            var open = (await shop.ReadAsync("/api/ops/alarms?open=true")).GetProperty("items");
            alarm = open.EnumerateArray().FirstOrDefault();
            return open.GetArrayLength();
        });
        Assert.Equal(("errorRate", "payments", "payments/ProviderFailed"), (alarm.GetProperty("kind").GetString(), alarm.GetProperty("service").GetString(), alarm.GetProperty("subject").GetString()));
        Assert.Contains("it broke", alarm.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains(Trace, alarm.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains(order.ToString(), alarm.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, alarm.GetProperty("clearedAt").ValueKind);
        JsonElement lines = default;
        await Eventually.BecomesAsync(3, async () => (lines = (await shop.ReadAsync($"/api/ops/logs?order={order}&level=error")).GetProperty("items")).GetArrayLength());
        Assert.All(lines.EnumerateArray(), line => Assert.Equal(order, line.GetProperty("order").GetGuid()));

        await Eventually.BecomesAsync(0, async () => (await shop.ReadAsync("/api/ops/alarms?open=true")).GetProperty("items").GetArrayLength());
        var cleared = (await shop.ReadAsync("/api/ops/alarms?open=false")).GetProperty("items");
        Assert.Equal(alarm.GetProperty("id").GetGuid(), Assert.Single(cleared.EnumerateArray()).GetProperty("id").GetGuid());
        using var topics = new TopicClient(shop.Kafka);
        var events = (await topics.ReadAsync(Topics.Alarms)).Select(record => record.Event!.GetType().Name);
        Assert.Equal([nameof(AlarmRaised), nameof(AlarmCleared)], events);
    }

    [Fact]
    public async Task Records_that_are_no_lines_hold_up_nobody_and_a_line_that_comes_again_is_one()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        var database = await shops.CreateDatabaseAsync();
        await using var shop = await ShopFixture.StartAsync(broker.BootstrapServers, database);
        using var kafka = new KafkaWriter(shop.Kafka);
        const string Service = "svc", Type = "shop.logs.log-written.v1";
        using (var topics = new TopicClient(shop.Kafka))
        {
            await topics.ProduceAsync(Topics.Logs, TopicClient.Message(Service, """{"message":"of somebody else"}"""u8.ToArray()));
            await topics.ProduceAsync(Topics.Logs, TopicClient.Message(Service, "x"u8.ToArray(), ("ce_id", "none"), ("ce_type", Type), ("ce_source", "/x")));
        }
        await kafka.WriteAsync(Topics.Logs, Service, Type, """{"service":"\ud800","level":"error","message":"x"}"""u8.ToArray());
        await kafka.PublishAsync(Line(Service, "warning", "line 0") with { Fields = new Dictionary<string, string> { ["a\0"] = "1", ["a\uFFFD"] = "2" } });
        await kafka.PublishAsync(Line(Service, "warning", "line 1") with { WrittenAt = new(2026, 11, 29, 12, 0, 0, TimeSpan.FromHours(1)) });
        var id = Guid.CreateVersion7();
        for (var i = 0; i < 2; i++)
            await kafka.PublishAsync(Line(Service, "error", "line 2", "Again"), id: id);
        await kafka.PublishAsync(Line(Service, "warning", "line 3"));

        await Eventually.BecomesAsync("3 2 1 0", () => NumbersAsync(shop, $"?service={Service}"));
        var items = (await shop.ReadAsync($"/api/ops/logs?service={Service}")).GetProperty("items");
        Assert.Equal("2026-11-29T11:00:00+00:00", items[2].GetProperty("at").GetDateTimeOffset().ToString("yyyy-MM-ddTHH:mm:sszzz", System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal("""{"a\uFFFD":"2"}""", items[3].GetProperty("fields").GetRawText());
        Assert.Equal("0 0 1", await QueryAsync(database, "SELECT (SELECT count(*) FROM dead_letters WHERE endpoint = 'activity.logs') || ' ' || (SELECT count(*) FROM inbox WHERE endpoint = 'activity.logs') || ' ' || (SELECT errors FROM error_rates WHERE event_name = 'Again')"));
    }

    [Fact]
    public async Task An_error_that_comes_while_its_alarm_is_cleared_is_an_alarm_again()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        var database = await shops.CreateDatabaseAsync();
        await using var shop = await ShopFixture.StartAsync(broker.BootstrapServers, database);
        using var kafka = new KafkaWriter(shop.Kafka);
        await kafka.PublishAsync(Line("payments", "error", "it broke", "ProviderFailed"));
        await Eventually.BecomesAsync(1, async () => (await shop.ReadAsync("/api/ops/alarms?open=true")).GetProperty("items").GetArrayLength());

        await using var source = NpgsqlDataSource.Create(database);
        await using (var clearing = await source.OpenConnectionAsync(TestContext.Current.CancellationToken))
        await using (var transaction = await clearing.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            await using var clear = new NpgsqlCommand("UPDATE error_rates SET alarm_id = NULL, errors = 0", clearing);
            await clear.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            await kafka.PublishAsync(Line("payments", "error", "it broke again", "ProviderFailed"));
            await Eventually.BecomesAsync("1", () => QueryAsync(database, "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%error_rates%' AND query NOT LIKE '%SKIP LOCKED%'"));
            await transaction.CommitAsync(TestContext.Current.CancellationToken);
        }
        await Eventually.BecomesAsync(2, async () => (await shop.ReadAsync("/api/ops/alarms")).GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task What_could_not_be_handled_is_told_in_the_trace_in_which_it_was_sent()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        await using var shop = await ShopFixture.StartAsync(broker.BootstrapServers, await shops.CreateDatabaseAsync());
        using (var topics = new TopicClient(shop.Kafka))
            await topics.ProduceAsync(Topics.Orders, TopicClient.Message("odd", "no event"u8.ToArray(), ("traceparent", $"00-{Trace}-00f067aa0ba902b7-01")));

        await Eventually.BecomesTrueAsync(async () => (await shop.ReadAsync($"/api/ops/logs?trace={Trace}&event=RecordDeadLettered")).GetProperty("items").GetArrayLength() > 0);
    }

    [Fact]
    public async Task What_any_service_raises_is_listed_in_whichever_order_it_is_heard_of()
    {
        var shop = await shops.OnAsync(Broker.Embedded);
        using var kafka = new KafkaWriter(shop.Kafka);
        var (subject, now) = ($"sensor-{Guid.NewGuid():N}", DateTimeOffset.UtcNow);
        var (open, over) = (Guid.CreateVersion7(), Guid.CreateVersion7());

        await kafka.PublishAsync(new AlarmCleared(over, "temperature", "inventory", subject, "2 to 8 °C", "4 °C", now));
        await kafka.PublishAsync(new AlarmRaised(over, "temperature", "inventory", subject, "2 to 8 °C", "11 °C", now.AddMinutes(-1)));
        await kafka.PublishAsync(new AlarmRaised(open, "temperature", "inventory", subject, "2 to 8 °C", "12 °C", now));
        await kafka.PublishAsync(new AlarmRaised(open, "temperature", "inventory", subject, "2 to 8 °C", "12 °C", now));

        await Eventually.BecomesAsync($"{open} {over}", async () => string.Join(' ', (await AlarmsAsync(shop, "", subject)).Select(alarm => alarm.GetProperty("id").GetGuid())));
        Assert.Equal([open], (await AlarmsAsync(shop, "?open=true", subject)).Select(alarm => alarm.GetProperty("id").GetGuid()));
        var cleared = Assert.Single(await AlarmsAsync(shop, "?open=false", subject));
        Assert.Equal(TimeSpan.FromMinutes(1), cleared.GetProperty("clearedAt").GetDateTimeOffset() - cleared.GetProperty("raisedAt").GetDateTimeOffset());
    }

    [Theory]
    [InlineData("logs?level=loud", "level")]
    [InlineData("logs?trace=x", "trace")]
    [InlineData("logs?order=x", "order")]
    [InlineData("logs?after=x", "after")]
    [InlineData("logs?limit=0", "limit")]
    [InlineData("logs?service=", "service")]
    [InlineData("logs?text=%00", "text")]
    [InlineData("alarms?open=maybe", "open")]
    [InlineData("alarms?limit=1000", "limit")]
    public async Task A_bad_query_is_refused_by_name(string query, string field)
    {
        var shop = await shops.OnAsync(Broker.Embedded);

        using var answer = await shop.GetAsync($"/api/ops/{query}", TestTokens.Operator());
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal([field], problem.GetProperty("errors").EnumerateObject().Select(error => error.Name));
    }

    [Theory, InlineData("logs"), InlineData("alarms")]
    public async Task Only_operators_read_them(string path)
    {
        var shop = await shops.OnAsync(Broker.Embedded);

        using var shopper = await shop.GetAsync($"/api/ops/{path}", TestTokens.Shopper("ada"));
        Assert.Equal(HttpStatusCode.Forbidden, shopper.StatusCode);
    }

    private static LogWritten Line(string service, string level, string message, string? eventName = null, string? trace = null, Guid? order = null) =>
        new(service, "test-1", level, eventName, "Shop.Test", message, order is null ? new Dictionary<string, string>() : new() { ["OrderId"] = order.Value.ToString() },
            null, trace, null, DateTimeOffset.UtcNow, 0);

    private static async Task<string> QueryAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        return (string)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    private static async Task<string> NumbersAsync(RunningActivity shop, string query) => string.Join(' ',
        (await shop.ReadAsync($"/api/ops/logs{query}")).GetProperty("items").EnumerateArray().Select(line => line.GetProperty("message").GetString()!.Split(' ')[1]));

    private static async Task<IReadOnlyList<JsonElement>> AlarmsAsync(RunningActivity shop, string query, string subject) =>
        [.. (await shop.ReadAsync($"/api/ops/alarms{query}{(query.Length == 0 ? '?' : '&')}limit=200")).GetProperty("items").EnumerateArray().Where(alarm => alarm.GetProperty("subject").GetString() == subject)];
}
