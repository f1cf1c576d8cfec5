using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Shop.Contracts;
using Shop.Payments.TryingRules;
using Shop.Testing;

namespace Shop.Payments.Tests.TryingRules;

/// <summary>Rules are tried out beside those in force, and decide nothing.</summary>
public sealed class ShadowTests(PostgresFixture postgres)
{
    private const string Path = "/api/ops/fraud/shadow";

    /// <summary>Every card that is new is testing.</summary>
    private const string Strict = """{"cardTesting":{"points":60,"dayEvidence":3},"declineAt":100}""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task They_tell_what_they_would_have_decided_otherwise_and_decide_nothing_whatever_instances_there_are()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        using var olga = payments.CreateOperator();
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(olga.GetAsync(Path, Cancellation)));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(PutAsync(olga, Strict)));

        shop.StartPayments();
        PaymentRequested[] requests = [.. Enumerable.Range(0, 6).Select(i => OrdersStandIn.Request($"tok_visa_c{i}", "shopper", "device", $"address-{i}", isFirst: true))];
        var harmless = OrdersStandIn.Request("tok_visa", "other", "device-2", "address", isFirst: true);
        foreach (var request in requests.Append(harmless))
        {
            await shop.Orders.PublishAsync(request);
            await Eventually.BecomesTrueAsync(async () => await payments.StateAsync(request.PaymentId) is PaymentState.Authorized or PaymentState.Held or PaymentState.Declined);
        }

        var view = await olga.GetFromJsonAsync<JsonElement>(Path, Cancellation);
        Assert.Equal((1, 3), (view.GetProperty("version").GetInt32(), view.GetProperty("rules").GetProperty("cardTesting").GetProperty("dayEvidence").GetInt32()));
        var live = await olga.GetFromJsonAsync<JsonElement>("/api/ops/fraud/rules", Cancellation);
        Assert.Equal((0, 1), (live.GetProperty("version").GetInt32(), live.GetProperty("shadow").GetInt32()));
        var report = view.GetProperty("report");
        Assert.Equal(7, report.GetProperty("screened").GetInt64());
        var stored = await payments.QueryAsync(db => db.Payments.AsNoTracking().ToListAsync());
        Assert.All(stored, payment => Assert.Equal(0, payment.RulesVersion));

        // what the first cards were let pass for, and the rules that are tried out would not
        var held = Assert.Single(report.GetProperty("differences").EnumerateArray(), difference => (Text(difference, "live"), Text(difference, "shadow")) == ("authorize", "hold"));
        var examples = report.GetProperty("examples").EnumerateArray().Where(example => Text(example.GetProperty("shadow"), "decision") == "hold" && Text(example.GetProperty("live"), "decision") == "authorize").ToList();
        Assert.NotEmpty(examples);
        Assert.Equal(held.GetProperty("payments").GetInt64(), examples.Count);
        Assert.All(examples, example =>
        {
            var payment = stored.Single(payment => payment.PaymentId == example.GetProperty("paymentId").GetGuid());
            Assert.Equal(PaymentState.Authorized, payment.State);
            Assert.Equal(payment.Score, example.GetProperty("live").GetProperty("score").GetDouble());
            Assert.Contains(example.GetProperty("shadow").GetProperty("rules").EnumerateArray(), rule => Text(rule, "rule") == "CardTesting" && rule.GetProperty("features").GetProperty("newCards").GetDouble() > 0);
        });
        var fired = Assert.Single(report.GetProperty("rules").EnumerateArray(), rule => Text(rule, "rule") == "CardTesting");
        Assert.True(fired.GetProperty("shadow").GetInt64() > fired.GetProperty("live").GetInt64(), fired.GetRawText());
        Assert.DoesNotContain(examples, example => example.GetProperty("paymentId").GetGuid() == harmless.PaymentId);
    }

    [Fact]
    public async Task Others_begin_at_nothing_and_ended_ones_look_no_more()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        using var olga = payments.CreateOperator();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(PutAsync(olga, Strict)));
        await PayAsync();
        Assert.Equal(1, await ScreenedAsync());

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(PutAsync(olga, """{"holdAt":40}""")));
        Assert.Equal(0, await ScreenedAsync());
        await PayAsync();
        Assert.Equal(1, await ScreenedAsync());

        Assert.Equal(HttpStatusCode.NoContent, await StatusAsync(olga.DeleteAsync(Path, Cancellation)));
        await PayAsync();
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(olga.GetAsync(Path, Cancellation)));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(olga.DeleteAsync(Path, Cancellation)));
        Assert.Equal(2, await payments.QueryAsync(db => db.ShadowDecisionCounts.SumAsync(count => count.Payments)));

        async Task<long> ScreenedAsync() => (await olga.GetFromJsonAsync<JsonElement>(Path, Cancellation)).GetProperty("report").GetProperty("screened").GetInt64();

        async Task PayAsync()
        {
            var request = OrdersStandIn.Request("tok_visa", $"shopper-{Guid.NewGuid():N}", null, "address", isFirst: false);
            await shop.Orders.PublishAsync(request);
            await Eventually.BecomesTrueAsync(async () => await payments.StateAsync(request.PaymentId) is PaymentState.Authorized);
        }
    }

    [Fact]
    public async Task What_they_have_found_is_deleted_long_after_their_end_and_who_tried_what_stays()
    {
        await using var shop = await TestShop.StartAsync(postgres, providerIsUp: false);
        var payments = shop.StartPayments();
        using var olga = payments.CreateOperator();
        for (var version = 1; version <= 3; version++)
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(PutAsync(olga, Strict)));
            await payments.QueryAsync(db => db.Database.ExecuteSqlAsync($"""
                INSERT INTO shadow_decision_counts VALUES ({version}, 0, 'Hold', 'Authorize', 5);
                INSERT INTO shadow_rule_counts VALUES ({version}, 0, 'Burst', 5, 0);
                INSERT INTO shadow_examples (version, payment_id, kind, decision) VALUES ({version}, gen_random_uuid(), 'Hold Authorize', '[]');
                """));
        }
        await payments.QueryAsync(db => db.Database.ExecuteSqlAsync($"UPDATE shadow_rules SET ended_at = now() - interval '91 days' WHERE version = 1"));

        await payments.Services.GetRequiredService<TrialCleanup>().RunOnceAsync(Cancellation);

        Assert.Equal([2, 3], await payments.QueryAsync(db => db.ShadowDecisionCounts.Select(count => count.Version).Order().ToListAsync()));
        Assert.Equal([2, 3], await payments.QueryAsync(db => db.ShadowRuleCounts.Select(count => count.Version).Order().ToListAsync()));
        Assert.Equal([2, 3], await payments.QueryAsync(db => db.ShadowExamples.Select(example => example.Version).Order().ToListAsync()));
        Assert.Equal([1, 2, 3], await payments.QueryAsync(db => db.ShadowRules.Select(rules => rules.Version).Order().ToListAsync()));
    }

    [Fact]
    public async Task They_are_set_by_operators_and_refused_by_field()
    {
        await using var shop = await TestShop.StartAsync(postgres, providerIsUp: false);
        var payments = shop.StartPayments();
        using var olga = payments.CreateOperator();
        using var refused = await PutAsync(olga, """{"burst":{"points":5000}}""");
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains("\"burst.points\"", await refused.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);

        using var shopper = payments.CreateClient();
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(PutAsync(shopper, "{}")));
        shopper.DefaultRequestHeaders.Authorization = new("Bearer", TestTokens.Shopper("ada"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(PutAsync(shopper, "{}")));
    }

    private static string Text(JsonElement element, string member) => element.GetProperty(member).GetString()!;

    private static async Task<HttpStatusCode> StatusAsync(Task<HttpResponseMessage> asked)
    {
        using var answer = await asked;
        return answer.StatusCode;
    }

    private static async Task<HttpResponseMessage> PutAsync(HttpClient http, string rules)
    {
        using var content = new StringContent(rules, Encoding.UTF8, "application/json");
        return await http.PutAsync(Path, content, Cancellation);
    }
}
