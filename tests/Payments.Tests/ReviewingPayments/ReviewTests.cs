using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Payments.Tests.ScreeningPayments;
using Shop.Testing;

namespace Shop.Payments.Tests.ReviewingPayments;

/// <summary>Operators decide about what is held, each payment once.</summary>
public sealed class ReviewTests(PostgresFixture postgres)
{
    private const string Approve = """{"decision":"approve","note":"known to us"}""", Reject = """{"decision":"reject"}""";

    [Fact]
    public async Task What_is_approved_is_paid_and_taints_nobody_and_who_decided_is_kept()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        using var olga = payments.CreateOperator("olga");
        var held = await ScreeningFlowTests.TestCardsAsync(shop, payments, 5);

        var item = Assert.Single((await olga.GetFromJsonAsync<JsonElement>("/api/ops/reviews")).GetProperty("items").EnumerateArray());
        Assert.Equal((held.PaymentId, held.OrderId, "tester"), (item.GetProperty("paymentId").GetGuid(), item.GetProperty("orderId").GetGuid(), item.GetProperty("shopperId").GetString()));
        Assert.Equal(12.5m, item.GetProperty("amount").GetProperty("amount").GetDecimal());
        Assert.Equal("CardTesting", item.GetProperty("rules")[0].GetProperty("rule").GetString());
        Assert.Equal(TimeSpan.FromDays(1), item.GetProperty("deadline").GetDateTimeOffset() - item.GetProperty("heldAt").GetDateTimeOffset());

        Assert.Equal(HttpStatusCode.OK, (await DecideAsync(olga, held.PaymentId, Approve)).Status);

        await Eventually.BecomesAsync("authorized", () => shop.Provider.LedgerOfAsync(held.PaymentId));
        await Eventually.BecomesAsync("PaymentHeld,PaymentAuthorized", () => shop.Orders.PaymentEventsOfAsync(held.OrderId));
        Assert.Equal(0, (await olga.GetFromJsonAsync<JsonElement>("/api/ops/reviews")).GetProperty("items").GetArrayLength());
        var decided = await olga.GetFromJsonAsync<JsonElement>($"/api/ops/reviews/{held.PaymentId}");
        Assert.Equal(("approve", "known to us", "olga"), (decided.GetProperty("decision").GetString(), decided.GetProperty("note").GetString(), decided.GetProperty("decidedBy").GetString()));
        // the same again is no other decision
        Assert.Equal(HttpStatusCode.OK, (await DecideAsync(olga, held.PaymentId, Approve)).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await DecideAsync(olga, held.PaymentId, Reject)).Status);

        // whatever it is suspected of, it is not for having followed what was approved
        var next = OrdersStandIn.Request("tok_visa_c0", "tester", "device", "address");
        await shop.Orders.PublishAsync(next);
        await Eventually.BecomesTrueAsync(async () => await payments.FindAsync(next.PaymentId) is not null);
        Assert.DoesNotContain("FollowsStopped", (await payments.FindAsync(next.PaymentId))!.Rules.Select(rule => rule.Rule));
    }

    [Fact]
    public async Task Of_two_operators_who_disagree_at_once_one_decides()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        using HttpClient olga = payments.CreateOperator("olga"), oscar = payments.CreateOperator("oscar");
        var held = await ScreeningFlowTests.TestCardsAsync(shop, payments, 5);

        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => i % 2 == 0 ? DecideAsync(olga, held.PaymentId, Approve) : DecideAsync(oscar, held.PaymentId, Reject)));

        var review = Assert.Single(await payments.QueryAsync(db => db.Reviews.ToListAsync()));
        Assert.Equal(review.IsApproved ? "olga" : "oscar", review.DecidedBy);
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.Conflict], answers.Select(answer => answer.Status).Distinct().Order());
        Assert.Equal(6, answers.Count(answer => answer.Status == HttpStatusCode.OK));
        await Eventually.BecomesAsync(review.IsApproved ? "PaymentHeld,PaymentAuthorized" : "PaymentHeld,PaymentDeclined", () => shop.Orders.PaymentEventsOfAsync(held.OrderId));
        Assert.Equal(review.IsApproved ? "authorized" : "", await shop.Provider.LedgerOfAsync(held.PaymentId));
    }

    [Theory]
    [InlineData("The payment was not approved in time")]
    [InlineData("Cancelled by the shopper")]
    public async Task A_decision_raced_by_the_orders_end_holds_or_comes_too_late(string reason)
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        using var olga = payments.CreateOperator("olga");
        var held = await ScreeningFlowTests.TestCardsAsync(shop, payments, 5);

        // the deadline and the shopper's cancel come to Payments as the same event
        var cancelling = shop.Orders.PublishAsync(new OrderCancelled(held.OrderId, reason));
        var answer = await DecideAsync(olga, held.PaymentId, Approve);
        await cancelling;

        await Eventually.BecomesAsync(PaymentState.Voided, async () => await payments.StateAsync(held.PaymentId) ?? default);
        var reviews = await payments.QueryAsync(db => db.Reviews.CountAsync());
        Assert.Equal(answer.Status == HttpStatusCode.OK ? 1 : 0, reviews);
        Assert.EndsWith("PaymentVoided", await Settled(shop, held.OrderId), StringComparison.Ordinal);
        var late = await DecideAsync(olga, held.PaymentId, Reject);
        Assert.Equal(HttpStatusCode.Conflict, late.Status);

        static async Task<string> Settled(TestShop shop, Guid order)
        {
            await Eventually.BecomesTrueAsync(async () => (await shop.Orders.PaymentEventsOfAsync(order)).EndsWith("PaymentVoided", StringComparison.Ordinal));
            return await shop.Orders.PaymentEventsOfAsync(order);
        }
    }

    [Theory]
    [InlineData("GET", "?limit=0", null, 400, "limit")]
    [InlineData("GET", "?limit=201", null, 400, "limit")]
    [InlineData("GET", "?after=x", null, 400, "after")]
    [InlineData("POST", "/not-an-id", Approve, 404, null)]
    [InlineData("POST", "/01a2055e-20d9-76ac-b2d2-47ee76b48253", Approve, 404, null)]
    [InlineData("POST", "/01a2055e-20d9-76ac-b2d2-47ee76b48253", """{"decision":"perhaps"}""", 400, "decision")]
    [InlineData("POST", "/01a2055e-20d9-76ac-b2d2-47ee76b48253", """{"note":"x"}""", 400, "decision")]
    [InlineData("POST", "/01a2055e-20d9-76ac-b2d2-47ee76b48253", "[", 400, null)]
    [InlineData("POST", "/01a2055e-20d9-76ac-b2d2-47ee76b48253", "null", 400, null)]
    [InlineData("POST", "/01a2055e-20d9-76ac-b2d2-47ee76b48253", """{"decision":7}""", 400, "decision")]
    [InlineData("POST", "/01a2055e-20d9-76ac-b2d2-47ee76b48253", """{"decision":99999999999999999999}""", 400, "decision")]
    [InlineData("POST", "/01a2055e-20d9-76ac-b2d2-47ee76b48253", """{"decision":"approve","note":7}""", 400, "note")]
    [InlineData("POST", "/01a2055e-20d9-76ac-b2d2-47ee76b48253", """{"decision":"approve","note":"\u0000"}""", 400, "note")]
    [InlineData("POST", "/01a2055e-20d9-76ac-b2d2-47ee76b48253", """{"decision":"approve","note":"\ud800"}""", 400, null)]
    [InlineData("GET", "?limit=99999999999999999999", null, 400, "limit")]
    [InlineData("GET", "?limit=%00", null, 400, "limit")]
    [InlineData("GET", "/01a2055e-20d9-76ac-b2d2-47ee76b48253", null, 404, null)]
    public async Task Bad_input_is_refused_with_the_field(string method, string path, string? body, int status, string? field)
    {
        await using var shop = await TestShop.StartAsync(postgres, providerIsUp: false);
        var payments = shop.StartPayments();
        using var olga = payments.CreateOperator("olga");
        using var request = new HttpRequestMessage(new(method), $"/api/ops/reviews{path}") { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        using var response = await olga.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(status, (int)response.StatusCode);
        if (field is not null)
            Assert.Contains($"\"{field}\"", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Shoppers_and_strangers_have_no_business_here()
    {
        await using var shop = await TestShop.StartAsync(postgres, providerIsUp: false);
        var payments = shop.StartPayments();
        using var http = payments.CreateClient();
        foreach (var path in (string[])["/api/ops/reviews", $"/api/ops/reviews/{Guid.CreateVersion7()}"])
        {
            http.DefaultRequestHeaders.Authorization = null;
            Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync(path, TestContext.Current.CancellationToken)).StatusCode);
            http.DefaultRequestHeaders.Authorization = new("Bearer", TestTokens.Shopper("ada"));
            Assert.Equal(HttpStatusCode.Forbidden, (await http.GetAsync(path, TestContext.Current.CancellationToken)).StatusCode);
        }
    }

    private static async Task<(HttpStatusCode Status, string Body)> DecideAsync(HttpClient http, Guid paymentId, string decision)
    {
        using var content = new StringContent(decision, Encoding.UTF8, "application/json");
        using var response = await http.PostAsync($"/api/ops/reviews/{paymentId}", content, TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
