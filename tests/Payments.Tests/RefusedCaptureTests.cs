using System.Net;
using System.Text.Json;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Payments.Tests;

/// <summary>The provider refuses to capture what it has authorised: an operator hears of it once, and it is not asked for ever.</summary>
public sealed class RefusedCaptureTests(PostgresFixture postgres)
{
    [Fact]
    public async Task It_is_an_alarm_once_is_not_asked_for_again_and_a_cancel_ends_it()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var captures = new Captures();
        var payments = shop.StartPayments(captures.SendAsync);

        var request = await ConfirmAsync(shop, "tok_uncapturable");
        await Eventually.BecomesAsync(PaymentState.Uncapturable, async () => await payments.StateAsync(request.PaymentId));
        await Eventually.BecomesAsync("AlarmRaised", () => shop.Orders.AlarmsOfAsync(request.PaymentId));
        var alarm = JsonSerializer.Deserialize(shop.Orders.Events(Topics.Alarms).Single().Body, ContractsJson.Default.AlarmRaised)!;
        Assert.Equal((AlarmKinds.CaptureRefused, "payments", request.PaymentId.ToString(), "12.50 EUR captured", "refused: The authorisation cannot be captured."),
            (alarm.Kind, alarm.Service, alarm.Subject, alarm.Expected, alarm.Seen));
        // nothing is due any more
        Assert.Null((await payments.FindAsync(request.PaymentId))!.DueAt);
        Assert.Equal((1, 0, ""), await payments.ReconcileAsync());

        await shop.Orders.PublishAsync(new OrderCancelled(request.OrderId, "An operator has given up"));
        await Eventually.BecomesAsync("PaymentAuthorized,PaymentVoided", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        await Eventually.BecomesAsync("AlarmRaised,AlarmCleared", () => shop.Orders.AlarmsOfAsync(request.PaymentId));
        Assert.Equal("authorized,voided", await shop.Provider.LedgerOfAsync(request.PaymentId));
        Assert.Equal(1, captures.Asked);
    }

    [Fact]
    public async Task The_alarm_is_cleared_where_a_cancel_finds_that_the_authorisation_has_lapsed()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        shop.StartPayments((request, send, cancellationToken) => request.RequestUri!.AbsolutePath.EndsWith("/void", StringComparison.Ordinal)
            ? Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { RequestMessage = request, Content = new StringContent("""{"status":"declined"}""", null, "application/json") })
            : send(cancellationToken));
        var request = await ConfirmAsync(shop, "tok_uncapturable");
        await Eventually.BecomesAsync("AlarmRaised", () => shop.Orders.AlarmsOfAsync(request.PaymentId));

        await shop.Orders.PublishAsync(new OrderCancelled(request.OrderId, "An operator has given up"));

        await Eventually.BecomesAsync("AlarmRaised,AlarmCleared", () => shop.Orders.AlarmsOfAsync(request.PaymentId));
    }

    [Fact]
    public async Task An_operator_who_repairs_the_order_has_it_tried_again_and_is_told_no_second_time()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var captures = new Captures(HttpStatusCode.UnprocessableEntity, HttpStatusCode.PaymentRequired);
        var payments = shop.StartPayments(captures.SendAsync);
        var request = await ConfirmAsync(shop, "tok_visa");
        await Eventually.BecomesAsync(PaymentState.Uncapturable, async () => await payments.StateAsync(request.PaymentId));

        // a repair says again what the order has said
        await shop.Orders.PublishAsync(new OrderConfirmed(request.OrderId));
        await Eventually.BecomesTrueAsync(async () => captures.Asked == 2 && await payments.StateAsync(request.PaymentId) == PaymentState.Uncapturable);
        await shop.Orders.PublishAsync(new OrderConfirmed(request.OrderId));

        await Eventually.BecomesAsync("PaymentAuthorized,PaymentCaptured", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        await Eventually.BecomesAsync("AlarmRaised,AlarmCleared", () => shop.Orders.AlarmsOfAsync(request.PaymentId));
        Assert.Equal("authorized,captured", await shop.Provider.LedgerOfAsync(request.PaymentId));
        Assert.Equal((1, 0, ""), await payments.ReconcileAsync());
    }

    /// <summary>About the moment, the address or the credentials, and not about the payment.</summary>
    [Fact]
    public async Task What_may_pass_is_asked_for_again_without_an_alarm()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var captures = new Captures(HttpStatusCode.InternalServerError, HttpStatusCode.Unauthorized, HttpStatusCode.NotFound, HttpStatusCode.TooManyRequests);
        shop.StartPayments(captures.SendAsync);

        var request = await ConfirmAsync(shop, "tok_visa");

        await Eventually.BecomesAsync("PaymentAuthorized,PaymentCaptured", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        Assert.Equal(5, captures.Asked);
        Assert.Equal("", await shop.Orders.AlarmsOfAsync(request.PaymentId));
    }

    private static async Task<PaymentRequested> ConfirmAsync(TestShop shop, string token)
    {
        var request = await shop.Orders.RequestAsync(token);
        await Eventually.BecomesAsync("PaymentAuthorized", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        await shop.Orders.PublishAsync(new OrderConfirmed(request.OrderId));
        return request;
    }

    /// <summary>Counts captures, and answers the first with these in the provider's place.</summary>
    private sealed class Captures(params HttpStatusCode[] answers)
    {
        private int _asked;

        public int Asked => Volatile.Read(ref _asked);

        public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, Func<CancellationToken, Task<HttpResponseMessage>> send, CancellationToken cancellationToken) =>
            request.RequestUri!.AbsolutePath.EndsWith("/capture", StringComparison.Ordinal) && Interlocked.Increment(ref _asked) is var asked && asked <= answers.Length
                ? Task.FromResult(new HttpResponseMessage(answers[asked - 1]) { RequestMessage = request, Content = new StringContent("{}") }) : send(cancellationToken);
    }
}
