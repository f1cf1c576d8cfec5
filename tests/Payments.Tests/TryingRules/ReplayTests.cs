using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shop.Contracts;
using Shop.Payments.TryingRules;
using Shop.Testing;

namespace Shop.Payments.Tests.TryingRules;

/// <summary>Rules are tried out over the payments of the past.</summary>
public sealed class ReplayTests(PostgresFixture postgres)
{
    private const string Path = "/api/ops/fraud/replay";

    /// <summary>Every card that is new is testing.</summary>
    private const string Strict = """{"cardTesting":{"points":60,"dayEvidence":3},"declineAt":100}""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Long]
    [Theory, MemberData(nameof(Both))]
    public async Task It_finds_what_a_trial_beside_the_rules_in_force_has_found_and_from_a_time_on_what_came_then(Broker broker)
    {
        await using var shop = await TestShop.StartAsync(postgres, broker);
        var payments = shop.StartPayments();
        using var olga = payments.CreateOperator();
        using var trial = await SendAsync(olga, HttpMethod.Put, "/api/ops/fraud/shadow", Strict);
        Assert.Equal(HttpStatusCode.OK, trial.StatusCode);
        var middle = DateTimeOffset.MinValue;
        for (var i = 0; i < 6; i++)
        {
            var request = OrdersStandIn.Request(i == 1 ? "tok_declined_c1" : $"tok_visa_c{i}", "shopper", "device", $"address-{i}", isFirst: true);
            await shop.Orders.PublishAsync(request);
            await Eventually.BecomesTrueAsync(async () => await payments.StateAsync(request.PaymentId) is PaymentState.Authorized or PaymentState.Held or PaymentState.Declined);
            if (i == 3)
                middle = DateTimeOffset.UtcNow;
        }
        await Eventually.BecomesTrueAsync(() => Task.FromResult(shop.Orders.Events(Topics.Payments).Select(e => e.OrderId).Distinct().Count() == 6));

        var found = await ReplayAsync(olga, "beginning");
        Assert.Equal("done", found.GetProperty("state").GetString());
        Assert.Equal(found.GetProperty("of").GetInt64(), found.GetProperty("records").GetInt64());
        var beside = (await olga.GetFromJsonAsync<JsonElement>("/api/ops/fraud/shadow", Cancellation)).GetProperty("report");
        Assert.NotEmpty(beside.GetProperty("differences").EnumerateArray());
        Assert.Equal(Normal(beside), Normal(found.GetProperty("report")));

        foreach (var old in (string[])["0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z"])
            Assert.Equal(Normal(beside), Normal((await ReplayAsync(olga, old)).GetProperty("report")));

        var later = await ReplayAsync(olga, middle.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffffK", null));
        Assert.Equal(2, later.GetProperty("report").GetProperty("screened").GetInt64());
    }

    [Fact]
    public async Task One_is_under_way_at_a_time_and_can_be_cancelled()
    {
        await using var shop = await TestShop.StartAsync(postgres, providerIsUp: false);
        var payments = shop.StartPayments();
        using var olga = payments.CreateOperator();
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(olga, HttpMethod.Get));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(olga, HttpMethod.Delete));
        // another instance seems to be at it
        await using var session = await payments.Services.GetRequiredService<NpgsqlDataSource>().OpenConnectionAsync(Cancellation);
        await using var take = new NpgsqlCommand($"SELECT pg_advisory_lock(hashtextextended('{RuleReplayer.Lock}', 0))", session);
        await take.ExecuteNonQueryAsync(Cancellation);
        Assert.Equal(HttpStatusCode.Accepted, await StatusAsync(olga, HttpMethod.Post, """{"from":"beginning","rules":{}}"""));
        Assert.Equal(HttpStatusCode.Conflict, await StatusAsync(olga, HttpMethod.Post, """{"from":"beginning","rules":{}}"""));
        Assert.Equal(HttpStatusCode.Accepted, await StatusAsync(olga, HttpMethod.Delete));
        await using var release = new NpgsqlCommand("SELECT pg_advisory_unlock_all()", session);
        await release.ExecuteNonQueryAsync(Cancellation);
        await Eventually.BecomesAsync("cancelled", async () => (await olga.GetFromJsonAsync<JsonElement>(Path, Cancellation)).GetProperty("state").GetString());
        Assert.Equal(HttpStatusCode.Accepted, await StatusAsync(olga, HttpMethod.Post, """{"from":"beginning","rules":{}}"""));
        await Eventually.BecomesAsync("done", async () => (await olga.GetFromJsonAsync<JsonElement>(Path, Cancellation)).GetProperty("state").GetString());
    }

    [Fact]
    public async Task It_begins_at_any_record_with_what_came_after_it_in_all_partitions()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        using var olga = payments.CreateOperator();
        var requests = Enumerable.Range(0, 8).Select(i => OrdersStandIn.Request("tok_visa", $"shopper-{i}")).ToList();
        foreach (var request in requests)
        {
            await shop.Orders.PublishAsync(request);
            await Eventually.BecomesAsync(PaymentState.Authorized, async () => await payments.StateAsync(request.PaymentId));
        }
        await Eventually.BecomesAsync(8, () => Task.FromResult(shop.Orders.Events(Topics.Orders).Count));

        for (var i = 0; i < requests.Count; i += 3)
        {
            var record = shop.Orders.Events(Topics.Orders).Single(e => e.OrderId == requests[i].OrderId);
            var found = await ReplayAsync(olga, $"orders/{record.Partition}/{record.Offset}");
            Assert.Equal(requests.Count - i, found.GetProperty("report").GetProperty("screened").GetInt64());
            Assert.Equal($"orders/{record.Partition}/{record.Offset}", found.GetProperty("from").GetString());
        }
        Assert.Equal(0, (await ReplayAsync(olga, $"payments/0/{long.MaxValue}")).GetProperty("report").GetProperty("screened").GetInt64());
    }

    [Fact]
    public async Task One_that_was_begun_again_and_again_fails_and_another_may_be_asked_for()
    {
        await using var shop = await TestShop.StartAsync(postgres, providerIsUp: false);
        var payments = shop.StartPayments();
        using var olga = payments.CreateOperator();
        await payments.QueryAsync(async db =>
        {
            db.RuleReplays.Add(new() { Id = Guid.CreateVersion7(), From = "beginning", Rules = "{}", AskedAt = DateTimeOffset.UtcNow, AskedBy = "olga", Attempts = RuleReplayer.MostAttempts });
            return await db.SaveChangesAsync();
        });
        await Eventually.BecomesAsync("failed", async () => (await olga.GetFromJsonAsync<JsonElement>(Path, Cancellation)).GetProperty("state").GetString());
        Assert.Contains("5 times", (await olga.GetFromJsonAsync<JsonElement>(Path, Cancellation)).GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal("done", (await ReplayAsync(olga, "beginning")).GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_record_that_cannot_be_read_is_passed()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        using var olga = payments.CreateOperator();
        using var topics = new TopicClient(shop.Settings["ConnectionStrings:kafka"]);
        var type = Topics.Orders.Events.Single(known => known.ClrType == typeof(PaymentRequested)).Name;
        foreach (var body in (string[])["{", "null", "{}", """{"orderId":7}"""])
        {
            await topics.ProduceAsync(Topics.Orders, new Message<byte[]?, byte[]?>
            {
                Key = Encoding.UTF8.GetBytes(Guid.CreateVersion7().ToString()),
                Value = Encoding.UTF8.GetBytes(body),
                Headers = [new("ce_id", Guid.CreateVersion7().ToByteArray()), new("ce_type", Encoding.UTF8.GetBytes(type))],
            });
        }
        var request = await shop.Orders.RequestAsync("tok_visa");
        await Eventually.BecomesAsync(PaymentState.Authorized, async () => await payments.StateAsync(request.PaymentId));

        var found = await ReplayAsync(olga, "beginning");
        Assert.Equal((1, true), (found.GetProperty("report").GetProperty("screened").GetInt64(), found.GetProperty("records").GetInt64() >= 5));
    }

    [Theory]
    [InlineData("""{"from":"orders/6/0","rules":{}}""", "from")]
    [InlineData("""{"from":"orders/0/-1","rules":{}}""", "from")]
    [InlineData("""{"from":"orders/0/99999999999999999999","rules":{}}""", "from")]
    [InlineData("""{"from":"orders/0/1/2","rules":{}}""", "from")]
    [InlineData("""{"from":"catalog/0/1","rules":{}}""", "from")]
    [InlineData("""{"from":"orders/٣/1","rules":{}}""", "from")]
    [InlineData("""{"from":"orders/0/1\u0000","rules":{}}""", "from")]
    [InlineData("""{"from":7,"rules":{}}""", "from")]
    [InlineData("""{"from":"beginning","rules":{"holdAt":1e400}}""", "rules.holdAt")]
    [InlineData("""{"from":"beginning","rules":[]}""", null)]
    [InlineData("null", null)]
    [InlineData("{\"from\":\"beginning\"", null)]
    [InlineData("""{"from":"yesterday","rules":{}}""", "from")]
    [InlineData("""{"rules":{}}""", "from")]
    [InlineData("""{"from":"beginning"}""", "rules")]
    [InlineData("""{"from":"beginning","rules":{"burst":{"points":5000}}}""", "rules.burst.points")]
    public async Task What_makes_no_sense_is_refused_by_field(string body, string? field)
    {
        await using var shop = await TestShop.StartAsync(postgres, providerIsUp: false);
        using var olga = shop.StartPayments().CreateOperator();
        using var answer = await SendAsync(olga, HttpMethod.Post, Path, body);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        if (field is not null)
            Assert.Contains($"\"{field}\"", await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    private static async Task<JsonElement> ReplayAsync(HttpClient olga, string from)
    {
        using var begun = await SendAsync(olga, HttpMethod.Post, Path, $$"""{"from":"{{from}}","rules":{{Strict}}}""");
        Assert.Equal(HttpStatusCode.Accepted, begun.StatusCode);
        await Eventually.BecomesAsync("done", async () => (await olga.GetFromJsonAsync<JsonElement>(Path, Cancellation)).GetProperty("state").GetString());
        return await olga.GetFromJsonAsync<JsonElement>(Path, Cancellation);
    }

    /// <summary>A report without the order of its examples.</summary>
    private static string Normal(JsonElement report) => string.Join('\n',
    [
        report.GetProperty("screened").GetRawText(), report.GetProperty("differences").GetRawText(), report.GetProperty("rules").GetRawText(),
        .. report.GetProperty("examples").EnumerateArray().Select(example => $"{example.GetProperty("paymentId")} {example.GetProperty("live")} {example.GetProperty("shadow")}").Order(StringComparer.Ordinal),
    ]);

    private static async Task<HttpStatusCode> StatusAsync(HttpClient http, HttpMethod method, string? body = null)
    {
        using var answer = await SendAsync(http, method, Path, body);
        return answer.StatusCode;
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient http, HttpMethod method, string path, string? body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        return await http.SendAsync(request, Cancellation);
    }
}
