using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Shop.Contracts;
using Shop.Payments.ScreeningPayments;
using Shop.Testing;

namespace Shop.Payments.Tests.ScreeningPayments;

/// <summary>Operators change the rules while the service runs.</summary>
public sealed class RulesTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Rules_that_are_set_decide_from_then_on_and_their_version_is_in_the_decision()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        using var olga = payments.CreateOperator();
        Assert.Equal(0, (await olga.GetFromJsonAsync<JsonElement>("/api/ops/fraud/rules")).GetProperty("version").GetInt32());

        // every card that is new is testing
        using var answer = await PutAsync(olga, """{"cardTesting":{"dayEvidence":3}}""");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(1, (await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("version").GetInt32());

        PaymentRequested[] requests = [.. Enumerable.Range(0, 3).Select(i => OrdersStandIn.Request($"tok_visa_c{i}", "shopper", "device", "address", isFirst: true))];
        foreach (var request in requests)
        {
            await shop.Orders.PublishAsync(request);
            await Eventually.BecomesTrueAsync(async () => await payments.StateAsync(request.PaymentId) is PaymentState.Authorized or PaymentState.Held);
        }
        var last = (await payments.FindAsync(requests[^1].PaymentId))!;
        Assert.Equal((PaymentState.Held, 1), (last.State, last.RulesVersion));
    }

    [Fact]
    public async Task Rules_of_another_version_of_the_service_stop_nothing_and_others_can_be_set()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        using var olga = payments.CreateOperator();
        await payments.QueryAsync(async db =>
        {
            const string OfTomorrow = """{"ruleOfTomorrow":{}}""";
            db.ScreeningRules.Add(new() { Version = 1, Rules = OfTomorrow, SetAt = DateTimeOffset.UtcNow, SetBy = "olga" });
            db.ShadowRules.Add(new() { Version = 1, Rules = OfTomorrow, SetAt = DateTimeOffset.UtcNow, SetBy = "olga" });
            return await db.SaveChangesAsync();
        });

        var request = await shop.Orders.RequestAsync("tok_visa");
        await Eventually.BecomesAsync("PaymentAuthorized", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        Assert.Equal(0, (await payments.FindAsync(request.PaymentId))!.RulesVersion);

        using var read = await olga.GetAsync("/api/ops/fraud/rules", TestContext.Current.CancellationToken);
        using var answer = await PutAsync(olga, """{"holdAt":40}""", read.Headers.ETag!.ToString());
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(2, (await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("version").GetInt32());
    }

    [Fact]
    public void What_rules_of_an_older_version_do_not_have_is_as_it_is_delivered()
    {
        Assert.Equal(new RuleSet() with { HoldAt = 40 }, StoredRuleSet.Read("""{"holdAt":40}"""));
        Assert.Equal(new RuleSet() with { Burst = new() { Hour = 7 } }, StoredRuleSet.Read("""{"burst":{"hour":7}}"""));
        Assert.Equal(new RuleSet(), StoredRuleSet.Read(StoredRuleSet.Write(new())));
    }

    [Fact]
    public async Task Of_two_operators_who_change_what_both_have_read_the_second_is_told()
    {
        await using var shop = await TestShop.StartAsync(postgres, providerIsUp: false);
        var payments = shop.StartPayments();
        using var olga = payments.CreateOperator();
        using var oscar = payments.CreateOperator("oscar");
        var (first, second) = (await VersionAsync(olga), await VersionAsync(oscar));
        using var set = await PutAsync(olga, """{"holdAt":40}""", first);
        using var late = await PutAsync(oscar, """{"holdAt":60}""", second);
        using var malformed = await PutAsync(oscar, """{"holdAt":60}""", "0");
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.PreconditionFailed, HttpStatusCode.BadRequest), (set.StatusCode, late.StatusCode, malformed.StatusCode));
        using var again = await PutAsync(oscar, """{"holdAt":60}""", await VersionAsync(oscar));
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        Assert.Equal("\"2\"", again.Headers.ETag!.ToString());

        static async Task<string> VersionAsync(HttpClient http)
        {
            using var answer = await http.GetAsync("/api/ops/fraud/rules", TestContext.Current.CancellationToken);
            return answer.Headers.ETag!.ToString();
        }
    }

    [Theory]
    [InlineData("""{"holdAt":0}""", "holdAt")]
    [InlineData("""{"holdAt":90,"declineAt":50}""", "declineAt")]
    [InlineData("""{"cardTesting":{"points":100,"dayEvidence":-1}}""", "cardTesting.dayEvidence")]
    [InlineData("""{"burst":{"points":5000}}""", "burst.points")]
    [InlineData("""{"burst":null}""", "burst")]
    [InlineData("[]", null)]
    [InlineData("null", null)]
    [InlineData("""{"holdAt":1e400}""", "holdAt")]
    [InlineData("""{"holdAt":"NaN"}""", null)]
    [InlineData("""{"burst":{"points":"\u0000"}}""", null)]
    [InlineData("""{"nobodyKnows":1}""", null)]
    [InlineData("""{"burst":{"points":1,}}""", null)]
    public async Task Rules_that_make_no_sense_are_refused_by_field(string rules, string? field)
    {
        await using var shop = await TestShop.StartAsync(postgres, providerIsUp: false);
        var payments = shop.StartPayments();
        using var olga = payments.CreateOperator();
        using var answer = await PutAsync(olga, rules);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var problem = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        if (field is not null)
            Assert.Contains($"\"{field}\"", problem, StringComparison.Ordinal);
        foreach (var inside in (string[])[".NET", "RuleSet", "annotation", "reader"])
            Assert.DoesNotContain(inside, problem, StringComparison.Ordinal);
    }

    private static async Task<HttpResponseMessage> PutAsync(HttpClient http, string rules, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, "/api/ops/fraud/rules") { Content = new StringContent(rules, Encoding.UTF8, "application/json") };
        if (ifMatch is not null)
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        return await http.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
