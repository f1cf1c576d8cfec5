using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Shop.Contracts;
using Shop.Payments.ReconcilingPayments;
using Shop.Testing;

namespace Shop.Payments.Tests.ReconcilingPayments;

/// <summary>Our payments against the provider's ledger.</summary>
public sealed class ReconciliationTests(PostgresFixture postgres)
{
    private const string Path = "/api/ops/payments/reconciliation";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Payments_of_every_end_are_the_same_and_one_that_was_captured_by_hand_is_an_alarm_until_it_is_here_too()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        var authorized = await shop.Orders.RequestAsync("tok_visa");
        var declined = await shop.Orders.RequestAsync("tok_declined");
        var captured = await shop.Orders.RequestAsync("tok_visa");
        var voided = await shop.Orders.RequestAsync("tok_visa");
        var refunded = await shop.Orders.RequestAsync("tok_visa");
        await BecomesAsync(PaymentState.Authorized, authorized, captured, voided, refunded);
        await BecomesAsync(PaymentState.Declined, declined);
        await shop.Orders.PublishAsync(new OrderConfirmed(captured.OrderId), new OrderConfirmed(refunded.OrderId), new OrderCancelled(voided.OrderId, "changed my mind"));
        await BecomesAsync(PaymentState.Captured, captured, refunded);
        await BecomesAsync(PaymentState.Voided, voided);
        await shop.Orders.PublishAsync(new OrderCancelled(refunded.OrderId, "changed my mind"));
        await BecomesAsync(PaymentState.Refunded, refunded);

        Assert.Equal((5, 0, ""), await payments.ReconcileAsync());
        await AgeAsync(payments);

        // somebody is at work at the provider
        using var provider = new HttpClient { BaseAddress = new(shop.Provider.Address) };
        using var capture = await provider.PostAsync($"/v1/payments/{authorized.PaymentId}/capture", null, Cancellation);
        Assert.Equal(HttpStatusCode.OK, capture.StatusCode);
        var strange = Guid.CreateVersion7();
        using var authorization = new HttpRequestMessage(HttpMethod.Post, "/v1/payments")
        {
            Headers = { { "Idempotency-Key", strange.ToString() } },
            Content = new StringContent("""{"amount":7.50,"currency":"EUR","token":"tok_visa","reference":"none of ours"}""", Encoding.UTF8, "application/json"),
        };
        using var unknown = await provider.SendAsync(authorization, Cancellation);
        Assert.Equal(HttpStatusCode.Created, unknown.StatusCode);

        var found = string.Join("; ", new[]
        {
            (authorized.PaymentId, "authorized, 12.50 EUR / captured, 12.50 EUR"),
            (strange, "not known / authorized, 7.50 EUR"),
        }.OrderBy(difference => difference.Item1).Select(difference => $"{difference.Item1} {difference.Item2}"));
        Assert.Equal((6, 0, found), await payments.ReconcileAsync());
        // another one finds the same, and raises nothing again
        Assert.Equal((6, 0, found), await payments.ReconcileAsync());
        await Eventually.BecomesAsync(2, () => payments.QueryAsync(db => db.PaymentDifferences.CountAsync(difference => difference.ClearedAt == null)));

        await shop.Orders.PublishAsync(new OrderConfirmed(authorized.OrderId));
        await BecomesAsync(PaymentState.Captured, authorized);
        Assert.Equal((6, 0, $"{strange} not known / authorized, 7.50 EUR"), await payments.ReconcileAsync());
        var told = await payments.QueryAsync(db => db.PaymentDifferences.AsNoTracking().ToListAsync());
        Assert.Equal([strange], told.Where(difference => difference.ClearedAt is null).Select(difference => difference.PaymentId));
        Assert.Equal(2, told.Count);

        async Task BecomesAsync(PaymentState state, params PaymentRequested[] requests)
        {
            foreach (var request in requests)
                await Eventually.BecomesAsync(state, () => payments.StateAsync(request.PaymentId));
        }
    }

    /// <summary>Shorter than the one before, and as long: then its entries are others.</summary>
    [Theory]
    [InlineData(2, 1)]
    [InlineData(2, 3)]
    public async Task A_ledger_that_was_made_anew_is_read_from_its_beginning_and_what_it_has_not_differs(int before, int after)
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        var lost = await RequestAsync(before);
        Assert.Equal((before, 0, ""), await payments.ReconcileAsync());
        await AgeAsync(payments);

        await shop.Provider.ForgetAsync();
        await RequestAsync(after);
        var found = string.Join("; ", lost.Order().Select(payment => $"{payment} authorized, 12.50 EUR / not known"));
        for (var times = 0; times < 2; times++)
            Assert.Equal((before + after, 0, found), await payments.ReconcileAsync());

        async Task<List<Guid>> RequestAsync(int count)
        {
            var requested = new List<Guid>();
            for (var i = 0; i < count; i++)
            {
                var request = await shop.Orders.RequestAsync("tok_visa");
                await Eventually.BecomesAsync(PaymentState.Authorized, () => payments.StateAsync(request.PaymentId));
                requested.Add(request.PaymentId);
            }
            return requested;
        }
    }

    [Fact]
    public async Task A_ledger_that_lost_its_end_and_grew_again_is_read_from_its_beginning_and_what_it_lost_differs()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        var kept = await AuthorizeAsync();
        var lost = await AuthorizeAsync();
        var other = await AuthorizeAsync();
        await CaptureAsync(kept);
        await CaptureAsync(lost);
        Assert.Equal((3, 0, ""), await payments.ReconcileAsync());

        await shop.Provider.ForgetLastAsync();
        // in the lost one's place, of a payment that was copied too
        await CaptureAsync(other);
        await AgeAsync(payments);
        for (var times = 0; times < 2; times++)
            Assert.Equal((3, 0, $"{lost.PaymentId} captured, 12.50 EUR / authorized, 12.50 EUR"), await payments.ReconcileAsync());
        Assert.Contains("LedgerDiverged", shop.Logs.Text, StringComparison.Ordinal);

        async Task<PaymentRequested> AuthorizeAsync()
        {
            var request = await shop.Orders.RequestAsync("tok_visa");
            await Eventually.BecomesAsync(PaymentState.Authorized, () => payments.StateAsync(request.PaymentId));
            return request;
        }

        async Task CaptureAsync(PaymentRequested request)
        {
            await shop.Orders.PublishAsync(new OrderConfirmed(request.OrderId));
            await Eventually.BecomesAsync(PaymentState.Captured, () => payments.StateAsync(request.PaymentId));
        }
    }

    [Fact]
    public async Task What_waits_for_the_provider_is_on_its_way_and_another_time_is_not_compared()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        // the provider has it, and never says so
        var silent = await shop.Orders.RequestAsync("tok_silent");
        await Eventually.BecomesTrueAsync(async () => await shop.Provider.LedgerOfAsync(silent.PaymentId) != "");

        Assert.Equal((0, 1, ""), await payments.ReconcileAsync());
        var now = DateTimeOffset.UtcNow;
        Assert.Equal((0, 0, ""), await payments.ReconcileAsync(JsonSerializer.Serialize(new { from = now.AddDays(-2), to = now.AddDays(-1) })));
    }

    [Fact]
    public async Task What_has_been_on_its_way_for_an_hour_differs()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        var silent = await shop.Orders.RequestAsync("tok_silent");
        await Eventually.BecomesTrueAsync(async () => await shop.Provider.LedgerOfAsync(silent.PaymentId) != "");
        await payments.QueryAsync(db => db.Database.ExecuteSqlAsync($"UPDATE payments SET changed_at = now() - interval '61 minutes'"));
        Assert.Equal((1, 0, $"{silent.PaymentId} authorizing, 12.50 EUR / authorized, 12.50 EUR"), await payments.ReconcileAsync());
    }

    [Fact]
    public async Task What_has_just_changed_differs_a_minute_later()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        var request = await shop.Orders.RequestAsync("tok_visa");
        await Eventually.BecomesAsync(PaymentState.Authorized, () => payments.StateAsync(request.PaymentId));
        Assert.Equal((1, 0, ""), await payments.ReconcileAsync());
        await payments.QueryAsync(db => db.LedgerPayments.ExecuteUpdateAsync(payment => payment.SetProperty(p => p.Status, "captured")));
        Assert.Equal((0, 1, ""), await payments.ReconcileAsync());
        await AgeAsync(payments);
        Assert.Equal((1, 0, $"{request.PaymentId} authorized, 12.50 EUR / captured, 12.50 EUR"), await payments.ReconcileAsync());
    }

    [Fact]
    public async Task Old_ones_are_compared_once_a_day_and_those_that_differ_each_time_until_they_do_not()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        var request = await shop.Orders.RequestAsync("tok_visa");
        await Eventually.BecomesAsync(PaymentState.Authorized, () => payments.StateAsync(request.PaymentId));
        Assert.Equal((1, 0, ""), await payments.ReconcileAsync());
        await payments.QueryAsync(db => db.Database.ExecuteSqlAsync($"UPDATE payments SET requested_at = now() - interval '5 days', changed_at = now() - interval '5 days'"));
        var worker = new ReconciliationWorker(payments.Services.GetRequiredService<Reconciliation>(), TimeProvider.System);
        await worker.RunOnceAsync(Cancellation);
        await SetTheirsAsync("captured");

        await worker.RunOnceAsync(Cancellation);
        Assert.Equal(0, await OpenAsync());
        await new ReconciliationWorker(payments.Services.GetRequiredService<Reconciliation>(), TimeProvider.System).RunOnceAsync(Cancellation);
        Assert.Equal(1, await OpenAsync());
        Assert.Equal((1, 0, $"{request.PaymentId} authorized, 12.50 EUR / captured, 12.50 EUR"), await payments.ReconcileAsync());
        await SetTheirsAsync("authorized");
        await worker.RunOnceAsync(Cancellation);
        Assert.Equal(0, await OpenAsync());

        Task<int> OpenAsync() => payments.QueryAsync(db => db.PaymentDifferences.CountAsync(difference => difference.ClearedAt == null));

        Task SetTheirsAsync(string status) => payments.QueryAsync(db => db.LedgerPayments.ExecuteUpdateAsync(payment => payment.SetProperty(p => p.Status, status)));
    }

    [Fact]
    public async Task Of_thousands_that_differ_all_become_alarms_and_none_is_cleared_while_it_does()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        await payments.QueryAsync(db => db.Database.ExecuteSqlAsync($"""
            INSERT INTO ledger_payments (payment_id, status, captures, first_at) SELECT gen_random_uuid(), 'authorized', 0, now() - interval '1 minute' FROM generate_series(1, 2500)
            """));
        for (var times = 0; times < 2; times++)
        {
            using var olga = payments.CreateOperator();
            using var answer = await PostAsync(olga, "{}");
            var report = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancellation)).RootElement;
            Assert.Equal((2_500, 1_000), (report.GetProperty("differing").GetInt64(), report.GetProperty("differences").GetArrayLength()));
            var alarms = await payments.QueryAsync(db => db.PaymentDifferences.AsNoTracking().ToListAsync());
            Assert.Equal((2_500, 0), (alarms.Count, alarms.Count(alarm => alarm.ClearedAt is not null)));
        }
    }

    [Theory]
    [InlineData("""{"from":"2026-11-29T00:00:00Z","to":"2026-11-28T00:00:00Z"}""", "from")]
    [InlineData("""{"from":"yesterday"}""", "from")]
    [InlineData("[]", null)]
    [InlineData("null", null)]
    [InlineData("""{"from":7}""", "from")]
    [InlineData("""{"to":"0001-01-01T00:00:00Z"}""", "from")]
    [InlineData("""{"from":"9999-12-31T23:59:59.9999999Z"}""", "from")]
    [InlineData("""{"from":"0001-01-01T00:00:00+14:00"}""", "from")]
    public async Task A_time_that_makes_no_sense_is_refused(string body, string? field)
    {
        await using var shop = await TestShop.StartAsync(postgres, providerIsUp: false);
        using var olga = shop.StartPayments().CreateOperator();
        using var answer = await PostAsync(olga, body);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        if (field is not null)
            Assert.Contains($"\"{field}\"", await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_provider_that_is_away_is_said()
    {
        await using var shop = await TestShop.StartAsync(postgres, providerIsUp: false);
        using var olga = shop.StartPayments().CreateOperator();
        using var answer = await PostAsync(olga, "{}");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    /// <summary>As if a while had passed: what has only just changed is not compared where it differs.</summary>
    private static Task AgeAsync(PaymentsInstance payments) =>
        payments.QueryAsync(db => db.Database.ExecuteSqlAsync($"UPDATE payments SET changed_at = changed_at - interval '2 minutes'"));

    private static async Task<HttpResponseMessage> PostAsync(HttpClient http, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await http.PostAsync(Path, content, Cancellation);
    }
}
