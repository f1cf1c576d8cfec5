using Shop.Testing;
using Shop.Testing.Routes;

namespace Shop.Payments.Tests;

/// <summary>What is said of every route, and who may use which, asked past the gateway.</summary>
public sealed class RouteTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Every_route_is_described_and_answers_every_caller_as_its_row_says()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        using var client = payments.CreateClient();
        Assert.Empty(RouteRules.Undecided(payments.Services));
        Assert.Empty(await RouteRules.UndescribedAsync(payments.Services, client));

        const string Fraud = "/api/ops/fraud";
        await Eventually.BecomesTrueAsync(async () => (await client.GetAsync("/health/ready")).IsSuccessStatusCode);
        await new AuthorisationMatrix(payments.Services, client).HoldsAsync(
        [
            .. AuthorisationMatrix.OfEveryProcess, .. AuthorisationMatrix.OfMessaging("payments"),
            new("GET /api/ops/reviews", Access.Operator, 200),
            new("GET /api/ops/reviews/{paymentId}", Access.Operator, 404, $"/api/ops/reviews/{Guid.Empty}"),
            new("POST /api/ops/reviews/{paymentId}", Access.Operator, 404, $"/api/ops/reviews/{Guid.Empty}", """{"decision":"approve"}"""),
            new("GET /api/ops/payments/{id}", Access.Operator, 404, $"/api/ops/payments/{Guid.Empty}"),
            new("POST /api/ops/payments/reconciliation", Access.Operator, 200, Body: "{}"),
            new($"GET {Fraud}/rules", Access.Operator, 200),
            new($"PUT {Fraud}/rules", Access.Operator, 200, Body: "{}"),
            new($"GET {Fraud}/shadow", Access.Operator, 404),
            new($"PUT {Fraud}/shadow", Access.Operator, 200, Body: "{}"),
            new($"DELETE {Fraud}/shadow", Access.Operator, 204),
            new($"GET {Fraud}/replay", Access.Operator, 404),
            new($"DELETE {Fraud}/replay", Access.Operator, 404),
            new($"POST {Fraud}/replay", Access.Operator, 202, Body: """{"from":"beginning","rules":{}}"""),
        ]);
    }
}
