using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Payments.Tests;

/// <summary>The provider refuses to capture what it has authorised, or to give it back: an operator hears of it once.</summary>
public sealed class RefusedCallsTests(PostgresFixture postgres)
{
    [Fact]
    public async Task It_is_an_alarm_once_is_not_asked_for_again_and_a_cancel_ends_it()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var captures = new Calls("capture");
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
        var captures = new Calls("capture", HttpStatusCode.UnprocessableEntity, HttpStatusCode.PaymentRequired);
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
        var captures = new Calls("capture", HttpStatusCode.InternalServerError, HttpStatusCode.Unauthorized, HttpStatusCode.NotFound, HttpStatusCode.TooManyRequests);
        shop.StartPayments(captures.SendAsync);

        var request = await ConfirmAsync(shop, "tok_visa");

        await Eventually.BecomesAsync("PaymentAuthorized,PaymentCaptured", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        Assert.Equal(5, captures.Asked);
        Assert.Equal("", await shop.Orders.AlarmsOfAsync(request.PaymentId));
    }

    [Theory]
    [InlineData("void", "authorized,voided", "PaymentAuthorized,PaymentVoided")]
    [InlineData("refund", "authorized,captured,refunded", "PaymentAuthorized,PaymentCaptured,PaymentRefunded")]
    public async Task What_is_not_given_back_is_an_alarm_once_and_asked_for_again_until_it_is(string call, string ledger, string events)
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var calls = new Calls(call, HttpStatusCode.UnprocessableEntity, HttpStatusCode.BadRequest);
        var payments = shop.StartPayments(calls.SendAsync);
        var request = await shop.Orders.RequestAsync("tok_visa");
        await Eventually.BecomesAsync(PaymentState.Authorized, async () => await payments.StateAsync(request.PaymentId));
        if (call == "refund")
        {
            await shop.Orders.PublishAsync(new OrderConfirmed(request.OrderId));
            await Eventually.BecomesAsync(PaymentState.Captured, async () => await payments.StateAsync(request.PaymentId));
        }
        await shop.Orders.PublishAsync(new OrderCancelled(request.OrderId, "changed my mind"));

        await Eventually.BecomesAsync("AlarmRaised", () => shop.Orders.AlarmsOfAsync(request.PaymentId));
        var alarm = JsonSerializer.Deserialize(shop.Orders.Events(Topics.Alarms).Single().Body, ContractsJson.Default.AlarmRaised)!;
        Assert.Equal((AlarmKinds.RefundRefused, "12.50 EUR given back", "refused: refused with 422"), (alarm.Kind, alarm.Expected, alarm.Seen));
        // not at once: what was refused is refused a moment later
        Assert.True((await payments.FindAsync(request.PaymentId))!.DueAt > DateTimeOffset.UtcNow.AddSeconds(20));
        foreach (var asked in (int[])[2, 3])
        {
            await payments.QueryAsync(db => db.Payments.Where(payment => payment.PaymentId == request.PaymentId).ExecuteUpdateAsync(payment => payment.SetProperty(p => p.DueAt, DateTimeOffset.UtcNow)));
            await Eventually.BecomesTrueAsync(async () => calls.Asked == asked && await payments.FindAsync(request.PaymentId) is { Attempts: var attempts, LastError: var error } && (attempts == 0 || error is not null));
        }

        await Eventually.BecomesAsync(events, () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        await Eventually.BecomesAsync("AlarmRaised,AlarmCleared", () => shop.Orders.AlarmsOfAsync(request.PaymentId));
        Assert.Equal(ledger, await shop.Provider.LedgerOfAsync(request.PaymentId));
    }

    [Fact]
    public async Task An_answer_that_cannot_be_written_holds_back_no_others()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var asked = new ConcurrentDictionary<string, int>();
        var (firstReleased, othersReleased, sent, answered) = (new TaskCompletionSource(), new TaskCompletionSource(), 0, 0);
        var payments = shop.StartPayments(async (request, send, cancellationToken) =>
        {
            var response = await send(cancellationToken);
            asked.AddOrUpdate(request.Headers.GetValues("Idempotency-Key").Single(), 1, (_, before) => before + 1);
            await (Interlocked.Increment(ref sent) == 1 ? firstReleased : othersReleased).Task.WaitAsync(Eventually.DefaultDeadline, CancellationToken.None);
            Interlocked.Increment(ref answered);
            return response;
        });
        PaymentRequested[] requests = [OrdersStandIn.Request("tok_declined", "poison"), .. Enumerable.Range(0, 8).Select(i => OrdersStandIn.Request("tok_visa", $"shopper-{i}"))];
        await shop.Orders.PublishAsync([.. requests]);
        await Eventually.BecomesTrueAsync(async () => await shop.Provider.LedgerAsync() is var ledger && Array.TrueForAll(requests, request => ledger.ContainsKey(request.PaymentId)));
        var card = (await payments.FindAsync(requests[0].PaymentId))!.CardKey!.Value;
        await payments.QueryAsync(db => db.Database.ExecuteSqlAsync($"UPDATE screening_histories SET state = decode('00', 'hex') WHERE key = {card}"));

        // the first answer is being written for as long as its payment is locked, and the others come meanwhile: so they are written together
        await using (var session = await payments.Services.GetRequiredService<NpgsqlDataSource>().OpenConnectionAsync(TestContext.Current.CancellationToken))
        {
            await using var transaction = await session.BeginTransactionAsync(TestContext.Current.CancellationToken);
            await using var hold = new NpgsqlCommand("SELECT FROM payments FOR UPDATE", session);
            await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            firstReleased.SetResult();
            await Eventually.BecomesTrueAsync(() => payments.QueryAsync(async db => await db.Database.SqlQuery<long>(
                $"""SELECT count(*) AS "Value" FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FOR UPDATE%'""").SingleAsync() > 0));
            othersReleased.SetResult();
            await Eventually.BecomesTrueAsync(() => Task.FromResult(Volatile.Read(ref answered) == requests.Length));
        }

        foreach (var request in requests[1..])
        {
            await Eventually.BecomesAsync(PaymentState.Authorized, async () => await payments.StateAsync(request.PaymentId));
            Assert.Equal(1, asked[request.PaymentId.ToString()]);
        }
        Assert.Equal(PaymentState.Authorizing, await payments.StateAsync(requests[0].PaymentId));
        await Eventually.BecomesTrueAsync(async () => (await payments.FindAsync(requests[0].PaymentId))!.LastError?.StartsWith("The answer could not be written", StringComparison.Ordinal) is true);
        await Eventually.BecomesTrueAsync(() => Task.FromResult(shop.Logs.Text.Contains($"one of payment {requests[0].PaymentId}", StringComparison.Ordinal)));
    }

    private static async Task<PaymentRequested> ConfirmAsync(TestShop shop, string token)
    {
        var request = await shop.Orders.RequestAsync(token);
        await Eventually.BecomesAsync("PaymentAuthorized", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        await shop.Orders.PublishAsync(new OrderConfirmed(request.OrderId));
        return request;
    }

    /// <summary>Counts the calls of a kind that are answered (one that takes too long is made again), and answers the first with these in the provider's place.</summary>
    private sealed class Calls(string kind, params HttpStatusCode[] answers)
    {
        private int _asked;

        public int Asked => Volatile.Read(ref _asked);

        public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, Func<CancellationToken, Task<HttpResponseMessage>> send, CancellationToken cancellationToken)
        {
            if (!request.RequestUri!.AbsolutePath.EndsWith($"/{kind}", StringComparison.Ordinal))
                return await send(cancellationToken);
            var answer = Asked is var asked && asked < answers.Length
                ? new HttpResponseMessage(answers[asked]) { RequestMessage = request, Content = new StringContent("{}") }
                : await send(cancellationToken);
            Interlocked.Increment(ref _asked);
            return answer;
        }
    }
}
