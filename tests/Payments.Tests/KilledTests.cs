using Microsoft.EntityFrameworkCore;
using Shop.AppHost.Running;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Payments.Tests;

/// <summary>Payments and a provider that has a bad day are killed at any moment, again and again: money moves once.</summary>
public sealed class KilledTests(PostgresFixture postgres)
{
    private const int Orders = 2_000, Batch = 50, Kills = 12;

    /// <summary>Twelve kills, each of which waits for a session of the group to end.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(15);

    private static readonly string[] Ends = [nameof(PaymentDeclined), nameof(PaymentCaptured), nameof(PaymentVoided), nameof(PaymentRefunded)];

    [Long]
    [Fact]
    public async Task Every_payment_is_authorised_once_captured_at_most_once_and_the_books_agree()
    {
        var random = new Random(20261129);
        await using var shop = await TestShop.StartAsync(postgres, providerIsUp: false);
        var port = Ports.Free();
        StartProvider();
        var payments = PaymentsProcess.Start(shop, port);
        // each shopper is another, as the world's are: nobody is suspicious
        var requests = Enumerable.Range(0, Orders).Select(i => OrdersStandIn.Request("tok_visa", $"shopper-{i}")).ToList();
        var cancelled = requests.Where((_, i) => i % 10 == 3).Select(request => request.OrderId).ToHashSet();
        var (published, confirmed, killed) = (0, new HashSet<Guid>(), 0);
        var nextKill = TimeProvider.System.GetTimestamp();

        await Eventually.BecomesTrueAsync(async () =>
        {
            if (published < Orders)
                await shop.Orders.PublishAsync([.. requests.GetRange(published, Batch)]);
            published = Math.Min(Orders, published + Batch);
            var authorized = shop.Orders.Events(Topics.Payments).Where(e => Is(e, nameof(PaymentAuthorized)) && confirmed.Add(e.OrderId)).Select(e => e.OrderId).ToList();
            // a cancel comes as soon as the payment is authorised or, for every other one, together with the confirmation
            await shop.Orders.PublishAsync([.. authorized.SelectMany(order => (object[])[new OrderConfirmed(order), .. cancelled.Contains(order) ? (object[])[new OrderCancelled(order, "test")] : []])]);
            // at any moment of their lives, starting included
            if (killed < Kills && TimeProvider.System.GetElapsedTime(nextKill) > TimeSpan.Zero)
            {
                if (killed++ % 2 == 0)
                {
                    await payments.KillAsync();
                    await payments.DisposeAsync();
                    payments = PaymentsProcess.Start(shop, port);
                }
                else
                {
                    await shop.Provider.KillAsync();
                    StartProvider();
                }
                nextKill = TimeProvider.System.GetTimestamp() + (long)(TimeProvider.System.TimestampFrequency * (0.3 + random.NextDouble() * 4));
            }
            return killed == Kills && published == Orders && confirmed.Count == Orders;
        }, Deadline);
        await Eventually.BecomesAsync(Orders, () => Task.FromResult(shop.Orders.Events(Topics.Payments).Where(e => Ends.Any(end => Is(e, end))).Select(e => e.OrderId).Distinct().Count()), Deadline);
        await payments.DisposeAsync();

        var reader = shop.StartPayments();
        foreach (var order in cancelled)
            await Eventually.BecomesTrueAsync(() => reader.QueryAsync(db => db.Payments.AnyAsync(payment => payment.OrderId == order && (payment.State == PaymentState.Voided || payment.State == PaymentState.Refunded))));
        var expected = (await reader.QueryAsync(db => db.Payments.AsNoTracking().ToListAsync())).ToDictionary(payment => payment.PaymentId, payment => payment.State switch
        {
            PaymentState.Captured => "authorized,captured",
            PaymentState.Voided => "authorized,voided",
            PaymentState.Refunded => "authorized,captured,refunded",
            _ => $"{payment.State} is no end",
        });
        Assert.Equal(requests.Select(request => request.PaymentId).Order(), expected.Keys.Order());
        Assert.Equal(expected, await shop.Provider.LedgerAsync());
        Assert.Equal((Orders, 0, ""), await reader.ReconcileAsync());
        // told once each, whoever died in between
        Assert.All(shop.Orders.Events(Topics.Payments).GroupBy(e => (e.OrderId, e.Attributes.Type)), told => Assert.Single(told.DistinctBy(e => e.Attributes.Id)));

        void StartProvider() => shop.Provider.StartProcess(("Errors", "0.2"), ("Silence", "0.05"));
    }

    [Long]
    [Fact]
    public async Task A_provider_that_is_killed_declines_nothing_holds_up_nothing_else_and_is_asked_as_before_when_it_is_back()
    {
        await using var shop = await TestShop.StartAsync(postgres, providerIsUp: false);
        shop.Provider.StartProcess();
        var payments = shop.StartPayments();
        using var olga = payments.CreateOperator();
        var before = await shop.Orders.RequestAsync("tok_visa");
        await Eventually.BecomesAsync("PaymentAuthorized", () => shop.Orders.PaymentEventsOfAsync(before.OrderId));

        await shop.Provider.KillAsync();
        var waiting = new List<PaymentRequested>();
        for (var i = 0; i < 100; i++)
            waiting.Add(await shop.Orders.RequestAsync("tok_visa"));
        await Eventually.BecomesTrueAsync(() => Task.FromResult(shop.Logs.Text.Contains("ProviderAway", StringComparison.Ordinal)));
        // long enough for the circuit to have tried again and again
        await Eventually.BecomesTrueAsync(() => payments.QueryAsync(db => db.Payments.AnyAsync(payment => payment.Attempts >= 3)));
        await Eventually.BecomesAsync(101, () => payments.QueryAsync(db => db.Payments.CountAsync()));
        // what needs no provider goes on: the events are taken, payments are screened, operators are answered
        Assert.Equal(101, (await payments.QueryAsync(db => db.Payments.Where(payment => payment.Score != null).CountAsync())));
        foreach (var path in (string[])["/health/ready", "/api/ops/reviews", "/api/ops/fraud/rules"])
            Assert.True((await olga.GetAsync(path, TestContext.Current.CancellationToken)).IsSuccessStatusCode, path);
        Assert.Single(shop.Orders.Events(Topics.Payments));

        shop.Provider.StartProcess();
        foreach (var request in waiting)
            await Eventually.BecomesAsync("PaymentAuthorized", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        // one that comes now is asked for at once
        await Eventually.BecomesTrueAsync(() => Task.FromResult(shop.Logs.Text.Contains("ProviderBack", StringComparison.Ordinal)));
        var after = await shop.Orders.RequestAsync("tok_visa");
        await Eventually.BecomesAsync("PaymentAuthorized", () => shop.Orders.PaymentEventsOfAsync(after.OrderId));
        Assert.Equal(101, (await shop.Provider.LedgerAsync()).Count(payment => payment.Value == "authorized" && payment.Key != after.PaymentId));
        Assert.Equal((102, 0, ""), await payments.ReconcileAsync());
    }

    private static bool Is(HeardEvent heard, string type) => Topics.Payments.TryGetEvent(heard.Attributes.Type, out var known) && known.ClrType.Name == type;
}
