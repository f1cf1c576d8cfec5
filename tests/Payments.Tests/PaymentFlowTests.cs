using System.Diagnostics;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Payments.Tests;

/// <summary>Payments between a real broker, a real database and the real provider.</summary>
public sealed class PaymentFlowTests(PostgresFixture postgres)
{
    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Long]
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

    [Fact]
    public async Task A_token_of_an_older_event_pays_and_one_that_was_sealed_for_another_payment_does_not()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();

        var older = await shop.Orders.RequestAsync("tok_visa", isSealed: false);
        await Eventually.BecomesAsync("PaymentAuthorized", () => shop.Orders.PaymentEventsOfAsync(older.OrderId));

        var copied = (await shop.Orders.RequestAsync("tok_slow")) with { OrderId = Guid.CreateVersion7(), PaymentId = Guid.CreateVersion7() };
        await shop.Orders.PublishAsync(copied);
        await Eventually.BecomesTrueAsync(() => payments.QueryAsync(db => db.Payments.AnyAsync(payment => payment.PaymentId == copied.PaymentId && payment.LastError != null)));
        Assert.Equal("", await shop.Provider.LedgerOfAsync(copied.PaymentId));
        Assert.Equal(PaymentState.Authorizing, await payments.StateAsync(copied.PaymentId));
    }

    [Fact]
    public async Task An_order_that_is_cancelled_gets_back_what_was_held_or_taken_and_repetitions_change_nothing()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        var held = await shop.Orders.RequestAsync("tok_visa");
        var taken = await shop.Orders.RequestAsync("tok_visa");
        await Eventually.BecomesAsync("PaymentAuthorized", () => shop.Orders.PaymentEventsOfAsync(held.OrderId));
        await Eventually.BecomesAsync("PaymentAuthorized", () => shop.Orders.PaymentEventsOfAsync(taken.OrderId));
        await shop.Orders.PublishAsync(taken, new OrderConfirmed(taken.OrderId), new OrderConfirmed(taken.OrderId));
        await Eventually.BecomesAsync("PaymentAuthorized,PaymentCaptured", () => DifferentEventsAsync(taken));

        for (var time = 0; time < 2; time++)
        {
            await shop.Orders.PublishAsync(new OrderCancelled(held.OrderId, "test"), new OrderCancelled(taken.OrderId, "test"),
                new OrderConfirmed(held.OrderId), new OrderConfirmed(taken.OrderId), held, taken);
            await Eventually.BecomesAsync("PaymentAuthorized,PaymentVoided", () => DifferentEventsAsync(held));
            await Eventually.BecomesAsync("PaymentAuthorized,PaymentCaptured,PaymentRefunded", () => DifferentEventsAsync(taken));
        }
        await shop.PassAPaymentBehindAsync(held.OrderId);
        await shop.PassAPaymentBehindAsync(taken.OrderId);

        Assert.Equal(PaymentState.Voided, await payments.StateAsync(held.PaymentId));
        Assert.Equal(PaymentState.Refunded, await payments.StateAsync(taken.PaymentId));
        // an order that says again what it has said is told again how its payment stands, and that is all
        Assert.EndsWith("PaymentVoided,PaymentVoided", await shop.Orders.PaymentEventsOfAsync(held.OrderId), StringComparison.Ordinal);
        Assert.Equal("PaymentAuthorized,PaymentVoided", await DifferentEventsAsync(held));
        Assert.Equal("PaymentAuthorized,PaymentCaptured,PaymentRefunded", await DifferentEventsAsync(taken));
        Assert.Equal("authorized,voided", await shop.Provider.LedgerOfAsync(held.PaymentId));
        Assert.Equal("authorized,captured,refunded", await shop.Provider.LedgerOfAsync(taken.PaymentId));

        async Task<string> DifferentEventsAsync(PaymentRequested payment) =>
            string.Join(',', (await shop.Orders.PaymentEventsOfAsync(payment.OrderId)).Split(',').Distinct());
    }

    [Fact]
    public async Task An_order_that_asks_again_for_a_declined_payment_is_told_the_providers_reason()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        shop.StartPayments();
        var request = await shop.Orders.RequestAsync("tok_declined");
        await Eventually.BecomesAsync("PaymentDeclined", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        // what a decline leads to is no question
        await shop.Orders.PublishAsync(new OrderCancelled(request.OrderId, "declined"));
        await shop.PassAPaymentBehindAsync(request.OrderId);
        Assert.Equal("PaymentDeclined", await shop.Orders.PaymentEventsOfAsync(request.OrderId));

        await shop.Orders.PublishAsync(request);

        await Eventually.BecomesAsync("PaymentDeclined,PaymentDeclined", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        Assert.All(shop.Orders.Events(Topics.Payments).Where(e => e.OrderId == request.OrderId), e => Assert.Contains("card_declined", e.Body, StringComparison.Ordinal));
        Assert.Equal("declined", await shop.Provider.LedgerOfAsync(request.PaymentId));
    }

    [Fact]
    public async Task Orders_without_a_payment_are_passed_over_and_a_second_payment_of_an_order_is_ignored()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        var first = await shop.Orders.RequestAsync("tok_visa");
        var second = first with { PaymentId = Guid.CreateVersion7() };

        await shop.Orders.PublishAsync(new OrderConfirmed(Guid.CreateVersion7()), new OrderCancelled(Guid.CreateVersion7(), "test"), second);
        await Eventually.BecomesAsync("PaymentAuthorized", () => shop.Orders.PaymentEventsOfAsync(first.OrderId));
        await shop.PassAPaymentBehindAsync(first.OrderId);

        Assert.Null(await payments.StateAsync(second.PaymentId));
        Assert.Equal("", await shop.Provider.LedgerOfAsync(second.PaymentId));
        Assert.Equal(0, await payments.QueryAsync(db => db.Database.SqlQuery<int>($"SELECT count(*)::int AS \"Value\" FROM dead_letters").SingleAsync()));
        Assert.Contains("SecondPaymentIgnored", shop.Logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_payment_event_names_the_event_that_caused_it_and_goes_on_with_its_trace()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        shop.StartPayments();
        using var activity = new Activity("test").Start();

        var request = await shop.Orders.RequestAsync("tok_visa");
        await Eventually.BecomesAsync("PaymentAuthorized", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        await shop.Orders.PublishAsync(new OrderConfirmed(request.OrderId));
        await Eventually.BecomesAsync("PaymentAuthorized,PaymentCaptured", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        await shop.Orders.PublishAsync(new OrderCancelled(request.OrderId, "test"));
        await Eventually.BecomesAsync("PaymentAuthorized,PaymentCaptured,PaymentRefunded", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));

        await Eventually.BecomesAsync(3, () => Task.FromResult(shop.Orders.Events(Topics.Orders).Count));
        Assert.Equal(shop.Orders.Events(Topics.Orders).Select(cause => (Guid?)cause.Attributes.Id), shop.Orders.Events(Topics.Payments).Select(e => e.Attributes.CausationId));
        Assert.All(shop.Orders.Events(Topics.Payments), e => Assert.Contains(activity.TraceId.ToString(), e.Attributes.TraceParent, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_providers_token_is_in_no_event_no_log_and_not_in_the_database_once_it_was_used()
    {
        const string token = "tok_3f9c0a77_confidential";
        await using var shop = await TestShop.StartAsync(postgres, providerIsUp: false);
        var payments = shop.StartPayments();
        var request = await shop.Orders.RequestAsync(token);
        await Eventually.BecomesTrueAsync(() => Task.FromResult(shop.Logs.Text.Contains("CallsFailed", StringComparison.Ordinal)));
        Assert.Equal(request.PaymentToken, (await payments.FindAsync(request.PaymentId))!.Token);
        Assert.DoesNotContain(token, request.PaymentToken, StringComparison.Ordinal);

        shop.Provider.Start();
        await Eventually.BecomesAsync("PaymentDeclined", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));

        Assert.Null((await payments.FindAsync(request.PaymentId))!.Token);
        Assert.DoesNotContain(token, shop.Logs.Text, StringComparison.Ordinal);
        Assert.All(shop.Orders.Events(Topics.Orders).Concat(shop.Orders.Events(Topics.Payments)), e => Assert.DoesNotContain(token, e.Body, StringComparison.Ordinal));
    }

    private static string Reason(TestShop shop, PaymentRequested request)
    {
        var body = shop.Orders.Events(Topics.Payments).Single(e => e.OrderId == request.OrderId).Body;
        return JsonSerializer.Deserialize(body, ContractsJson.Default.PaymentDeclined)!.Reason;
    }
}
