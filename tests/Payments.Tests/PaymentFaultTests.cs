using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Payments.Tests;

/// <summary>What goes wrong between Payments and the provider, and in Payments: in the end the ledger and the events tell the same.</summary>
public sealed class PaymentFaultTests(PostgresFixture postgres)
{
    [Long]
    [Fact]
    public async Task A_cancel_does_not_wait_for_the_authorisation_in_flight_and_its_late_answer_is_dropped()
    {
        var network = new HeldAnswer("/v1/payments");
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments(network.SendAsync);

        var request = await shop.Orders.RequestAsync("tok_visa");
        await network.Answered;
        Assert.Equal("authorized", await shop.Provider.LedgerOfAsync(request.PaymentId));
        await shop.Orders.PublishAsync(new OrderCancelled(request.OrderId, "test"));
        await Eventually.BecomesAsync("PaymentVoided", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        network.Release();
        await shop.PassAPaymentBehindAsync(request.OrderId);

        Assert.Equal("PaymentVoided", await shop.Orders.PaymentEventsOfAsync(request.OrderId));
        Assert.Equal(PaymentState.Voided, await payments.StateAsync(request.PaymentId));
        Assert.Equal("authorized,voided", await shop.Provider.LedgerOfAsync(request.PaymentId));
    }

    [Fact]
    public async Task A_provider_that_never_answers_is_asked_again_under_the_same_key_and_a_cancel_voids_what_it_holds()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();

        var request = await shop.Orders.RequestAsync("tok_silent");
        await Eventually.BecomesTrueAsync(async () => (await payments.FindAsync(request.PaymentId))?.Attempts >= 2);
        Assert.Equal("authorized", await shop.Provider.LedgerOfAsync(request.PaymentId));
        await shop.Orders.PublishAsync(new OrderCancelled(request.OrderId, "no answer in time"));

        await Eventually.BecomesAsync("PaymentVoided", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        Assert.Equal("authorized,voided", await shop.Provider.LedgerOfAsync(request.PaymentId));
    }

    [Fact]
    public async Task A_cancel_that_overtakes_the_capture_voids_and_the_capture_is_refused()
    {
        var network = new HeldRequest("/capture");
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments(network.SendAsync);

        var request = await shop.Orders.RequestAsync("tok_visa");
        await Eventually.BecomesAsync("PaymentAuthorized", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        await shop.Orders.PublishAsync(new OrderConfirmed(request.OrderId));
        await network.Requested;
        await shop.Orders.PublishAsync(new OrderCancelled(request.OrderId, "test"));
        await Eventually.BecomesAsync("PaymentAuthorized,PaymentVoided", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        network.Release();
        await network.Ended;
        await shop.PassAPaymentBehindAsync(request.OrderId);

        Assert.Equal("PaymentAuthorized,PaymentVoided", await shop.Orders.PaymentEventsOfAsync(request.OrderId));
        Assert.Equal(PaymentState.Voided, await payments.StateAsync(request.PaymentId));
        Assert.Equal("authorized,voided", await shop.Provider.LedgerOfAsync(request.PaymentId));
    }

    [Fact]
    public async Task A_cancel_that_comes_after_the_capture_but_before_its_answer_refunds()
    {
        var network = new HeldAnswer("/capture");
        await using var shop = await TestShop.StartAsync(postgres);
        shop.StartPayments(network.SendAsync);

        var request = await shop.Orders.RequestAsync("tok_visa");
        await Eventually.BecomesAsync("PaymentAuthorized", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        await shop.Orders.PublishAsync(new OrderConfirmed(request.OrderId));
        await network.Answered;
        await shop.Orders.PublishAsync(new OrderCancelled(request.OrderId, "test"));

        await Eventually.BecomesAsync("PaymentAuthorized,PaymentCaptured,PaymentRefunded", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        network.Release();
        Assert.Equal("authorized,captured,refunded", await shop.Provider.LedgerOfAsync(request.PaymentId));
    }

    [Fact]
    public async Task Every_answer_lost_once_changes_nothing()
    {
        var seen = new ConcurrentDictionary<string, bool>();
        await using var shop = await TestShop.StartAsync(postgres);
        shop.StartPayments(async (request, send, cancellationToken) =>
        {
            var response = await send(cancellationToken);
            var call = $"{request.RequestUri} {(request.Headers.TryGetValues("Idempotency-Key", out var key) ? key.Single() : "")}";
            return seen.TryAdd(call, true) ? throw new HttpRequestException("The connection was lost before the answer") : response;
        });
        var captured = await shop.Orders.RequestAsync("tok_visa");
        var refunded = await shop.Orders.RequestAsync("tok_visa");
        var voided = await shop.Orders.RequestAsync("tok_visa");
        var declined = await shop.Orders.RequestAsync("tok_declined");

        foreach (var request in new[] { captured, refunded, voided })
            await Eventually.BecomesAsync("PaymentAuthorized", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        await shop.Orders.PublishAsync(new OrderConfirmed(captured.OrderId), new OrderConfirmed(refunded.OrderId), new OrderCancelled(voided.OrderId, "test"));
        await Eventually.BecomesAsync("PaymentAuthorized,PaymentCaptured", () => shop.Orders.PaymentEventsOfAsync(refunded.OrderId));
        await shop.Orders.PublishAsync(new OrderCancelled(refunded.OrderId, "test"));

        await Eventually.BecomesAsync("PaymentAuthorized,PaymentCaptured,PaymentRefunded", () => shop.Orders.PaymentEventsOfAsync(refunded.OrderId));
        await Eventually.BecomesAsync("PaymentAuthorized,PaymentCaptured", () => shop.Orders.PaymentEventsOfAsync(captured.OrderId));
        await Eventually.BecomesAsync("PaymentAuthorized,PaymentVoided", () => shop.Orders.PaymentEventsOfAsync(voided.OrderId));
        await Eventually.BecomesAsync("PaymentDeclined", () => shop.Orders.PaymentEventsOfAsync(declined.OrderId));
        Assert.Equal(["authorized,captured", "authorized,captured,refunded", "authorized,voided", "declined"],
        [
            await shop.Provider.LedgerOfAsync(captured.PaymentId), await shop.Provider.LedgerOfAsync(refunded.PaymentId),
            await shop.Provider.LedgerOfAsync(voided.PaymentId), await shop.Provider.LedgerOfAsync(declined.PaymentId),
        ]);
        // four authorisations, two captures, a refund, a void
        Assert.Equal(8, seen.Count);
    }

    [Long]
    [Fact]
    public async Task An_instance_killed_between_call_and_write_is_taken_over_and_nothing_happens_twice()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        PaymentRequested request;
        await using (var killed = PaymentsProcess.Start(shop))
        {
            // the provider has authorised and is still to answer, however long the kill takes
            await shop.Provider.SlowDownAsync(seconds: 60);
            request = await shop.Orders.RequestAsync("tok_visa");
            await Eventually.BecomesAsync("authorized", () => shop.Provider.LedgerOfAsync(request.PaymentId));
            await killed.KillAsync();
        }
        Assert.Equal("", await shop.Orders.PaymentEventsOfAsync(request.OrderId));

        await shop.Provider.SlowDownAsync(seconds: 0);
        shop.StartPayments();

        await Eventually.BecomesAsync("PaymentAuthorized", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        await shop.Orders.PublishAsync(new OrderConfirmed(request.OrderId));
        await Eventually.BecomesAsync("PaymentAuthorized,PaymentCaptured", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        Assert.Equal("authorized,captured", await shop.Provider.LedgerOfAsync(request.PaymentId));
    }

    [Fact]
    public async Task Two_instances_share_200_payments_and_each_is_captured_once()
    {
        int[] calls = [0, 0];
        await using var shop = await TestShop.StartAsync(postgres);
        for (var i = 0; i < calls.Length; i++)
        {
            var instance = i;
            shop.StartPayments(async (_, send, cancellationToken) =>
            {
                var answer = await send(cancellationToken);
                Interlocked.Increment(ref calls[instance]);
                return answer;
            });
        }
        // until both have partitions of their own, one of them has all the payments
        var first = 0;
        await Eventually.BecomesTrueAsync(async () =>
        {
            await shop.Orders.RequestAsync("tok_visa");
            first++;
            return Array.TrueForAll(calls, count => count > 0);
        });
        await Eventually.BecomesAsync(first, () => CountAsync<PaymentAuthorized>(shop));
        var requests = Enumerable.Range(0, 200)
            .Select(i => new PaymentRequested(Guid.CreateVersion7(), Guid.CreateVersion7(), $"shopper-{i}", new(12.50m, "EUR"), "tok_visa")).ToList();

        await shop.Orders.PublishAsync([.. requests]);
        await Eventually.BecomesAsync(first + 200, () => CountAsync<PaymentAuthorized>(shop));
        await shop.Orders.PublishAsync([.. requests.Select(request => new OrderConfirmed(request.OrderId))]);
        await Eventually.BecomesAsync(200, () => CountAsync<PaymentCaptured>(shop));

        Assert.Equal(first + 400, shop.Orders.Events(Topics.Payments).Count);
        var ledger = await shop.Provider.LedgerAsync();
        Assert.Equal(first, ledger.Values.Count(entries => entries == "authorized"));
        Assert.Equal(requests.ToDictionary(request => request.PaymentId, _ => "authorized,captured"), ledger.Where(payment => payment.Value != "authorized").ToDictionary());
        // nobody called again after an answer
        Assert.Equal(first + 400, calls.Sum());
    }

    [Long]
    [Fact]
    public async Task A_provider_that_is_down_loses_nothing()
    {
        await using var shop = await TestShop.StartAsync(postgres, providerIsUp: false);
        var payments = shop.StartPayments();
        var requests = new List<PaymentRequested>();
        for (var i = 0; i < 50; i++)
            requests.Add(await shop.Orders.RequestAsync("tok_visa"));
        var cancelled = requests[0];

        // some calls have failed, and the circuit has opened: the others wait without being called for
        await Eventually.BecomesTrueAsync(() => Task.FromResult(shop.Logs.Text.Contains("ProviderAway")));
        await Eventually.BecomesAsync(requests.Count, () => payments.QueryAsync(db => db.Payments.CountAsync()));
        await shop.Orders.PublishAsync(new OrderCancelled(cancelled.OrderId, "test"));
        await Eventually.BecomesAsync(PaymentState.Voiding, () => payments.StateAsync(cancelled.PaymentId));
        shop.Provider.Start();

        await Eventually.BecomesAsync(requests.Count - 1, () => CountAsync<PaymentAuthorized>(shop));
        await Eventually.BecomesAsync("PaymentVoided", () => shop.Orders.PaymentEventsOfAsync(cancelled.OrderId));
        Assert.Equal(requests.ToDictionary(request => request.PaymentId, request => request == cancelled ? "voided" : "authorized"), await shop.Provider.LedgerAsync());
        Assert.Contains("ProviderBack", shop.Logs.Text);
    }

    [Long]
    [Fact]
    public async Task Payments_that_the_provider_hangs_for_keep_no_other_payment_waiting_and_are_not_lost()
    {
        const int Hanging = 1_500;
        var network = new HangingPayments();
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments(network.SendAsync);
        await shop.Orders.PublishAsync([.. network.Requests(Hanging)]);
        await Eventually.BecomesAsync(Hanging, () => payments.QueryAsync(db => db.Payments.CountAsync()));

        // not one of the others has been answered, and none will be
        var good = await shop.Orders.RequestAsync("tok_visa");
        await Eventually.BecomesAsync("PaymentAuthorized", () => shop.Orders.PaymentEventsOfAsync(good.OrderId));
        Assert.Equal(1, await CountAsync<PaymentAuthorized>(shop));

        network.Release();
        await Eventually.BecomesAsync(Hanging + 1, () => CountAsync<PaymentAuthorized>(shop));
    }

    private static Task<int> CountAsync<TEvent>(TestShop shop) => Task.FromResult(shop.Orders.Events(Topics.Payments)
        .Count(e => Topics.Payments.TryGetEvent(e.Attributes.Type, out var type) && type.ClrType == typeof(TEvent)));
}
