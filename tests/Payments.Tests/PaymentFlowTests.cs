using Shop.Contracts;
using Shop.Testing;

namespace Shop.Payments.Tests;

/// <summary>Payments between a real broker, a real database and the real provider.</summary>
public sealed class PaymentFlowTests(PostgresFixture postgres)
{
    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task Each_token_ends_as_its_provider_says(Broker broker)
    {
        await using var shop = await TestShop.StartAsync(postgres, broker);
        var payments = shop.StartPayments();

        var visa = await shop.Orders.RequestAsync("tok_visa");
        var slow = await shop.Orders.RequestAsync("tok_slow");
        var flaky = await shop.Orders.RequestAsync("tok_flaky");
        var declined = await shop.Orders.RequestAsync("tok_declined");
        var unknown = await shop.Orders.RequestAsync("tok_nobody_knows");
        var malformed = await shop.Orders.RequestAsync(new('x', 65));

        foreach (var request in new[] { visa, slow, flaky })
        {
            await Eventually.BecomesAsync("PaymentAuthorized", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
            await shop.Orders.PublishAsync(new OrderConfirmed(request.OrderId));
            await Eventually.BecomesAsync("PaymentAuthorized,PaymentCaptured", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
            Assert.Equal("authorized,captured", await shop.Provider.LedgerOfAsync(request.PaymentId));
            Assert.Equal(PaymentState.Captured, await payments.StateAsync(request.PaymentId));
        }
        foreach (var request in new[] { declined, unknown, malformed })
            await Eventually.BecomesAsync("PaymentDeclined", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        Assert.Equal("declined", await shop.Provider.LedgerOfAsync(declined.PaymentId));
        // not even taken in by the provider
        Assert.Equal("", await shop.Provider.LedgerOfAsync(malformed.PaymentId));
        Assert.Equal(["card_declined", "unknown_token"], [Reason(shop, declined), Reason(shop, unknown)]);
        Assert.Contains("token", Reason(shop, malformed), StringComparison.Ordinal);
        Assert.DoesNotContain("xxx", Reason(shop, malformed), StringComparison.Ordinal);
    }

    private static string Reason(TestShop shop, PaymentRequested request)
    {
        var body = shop.Orders.Events(Topics.Payments).Single(e => e.OrderId == request.OrderId).Body;
        return System.Text.Json.JsonSerializer.Deserialize(body, ContractsJson.Default.PaymentDeclined)!.Reason;
    }
}
