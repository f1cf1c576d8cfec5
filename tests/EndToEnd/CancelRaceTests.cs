using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using Shop.Testing;

namespace Shop.EndToEnd;

[Collection(nameof(EmbeddedKafkaShop))]
public sealed class CancelRaceOnEmbeddedKafka(ShopOnEmbeddedKafka shop, ITestOutputHelper output) : CancelRaceTests(shop, output);

[Collection(nameof(ApacheKafkaShop))]
public sealed class CancelRaceOnApacheKafka(ShopOnApacheKafka shop, ITestOutputHelper output) : CancelRaceTests(shop, output);

/// <summary>
/// A thousand orders, each of them cancelled at a moment around its confirmation: whoever wins, Orders, Inventory and the provider's
/// ledger agree about it.
/// </summary>
public abstract class CancelRaceTests
{
    private const int Orders = 1000, AtOnce = 25, Seed = 20261123;
    private const string Sku = "mug-travel";
    private static readonly TimeSpan EndDeadline = Eventually.DefaultDeadline;
    private readonly ShopUnderTest _shop;
    private readonly ITestOutputHelper _output;

    protected CancelRaceTests(ShopUnderTest shop, ITestOutputHelper output)
    {
        Assert.SkipWhen(shop.NotAvailable is not null, shop.NotAvailable ?? "");
        (_shop, _output) = (shop, output);
    }

    [Long]
    [Fact]
    public async Task Whether_the_cancel_or_the_confirmation_wins_everybody_agrees()
    {
        var olga = await Shopper.LogInAsync(_shop.Gateway, "olga", "operator");
        using (var receipt = await olga.SendAsync(HttpMethod.Post, $"/api/ops/stock/{Sku}/receipts", $$"""{"quantity":{{Orders}}}""", Guid.CreateVersion7().ToString()))
            Assert.Equal(HttpStatusCode.OK, receipt.StatusCode);
        var before = await StockAsync();
        var moment = new Moment(Seed);
        var shoppers = new ConcurrentDictionary<Guid, Shopper>();
        var answers = new ConcurrentDictionary<Guid, HttpStatusCode>();
        var statuses = new Dictionary<Guid, string>();

        await Parallel.ForEachAsync(Enumerable.Range(0, Orders), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (number, cancellationToken) =>
        {
            // as many shoppers as the world has: one who orders a thousand times in a minute is suspicious
            var shopper = await Shopper.LogInAsync(_shop.Gateway, $"racer-{number}");
            var id = await shopper.SubmitOrderAsync(Shopper.Order(Sku, street: $"{number} High Street"));
            shoppers[id] = shopper;
            await Task.Delay(moment.Next(), cancellationToken);
            using var cancel = await shopper.SendAsync(HttpMethod.Post, $"/api/orders/{id}/cancel");
            answers[id] = cancel.StatusCode;
            moment.Learn(early: cancel.StatusCode == HttpStatusCode.Accepted);
        });
        // not before all are under way: asking how each has ended would slow the others down
        foreach (var id in answers.Keys)
            await Eventually.BecomesTrueAsync(async () => (statuses[id] = await shoppers[id].StatusAsync(id)) is "fulfilled" or "cancelled", EndDeadline);

        var (cancelled, fulfilled) = (statuses.Values.Count(status => status == "cancelled"), statuses.Values.Count(status => status == "fulfilled"));
        var tooLate = answers.Count(answer => answer.Value == HttpStatusCode.Accepted && statuses[answer.Key] == "fulfilled");
        // a race that one side always wins is none
        Assert.True(cancelled >= Orders / 10 && fulfilled >= Orders / 10, $"{cancelled} cancelled, {fulfilled} fulfilled");
        // refused is refused; what was taken in may still come too late
        Assert.All(answers, answer => Assert.True(answer.Value == HttpStatusCode.Accepted || answer.Value == HttpStatusCode.Conflict && statuses[answer.Key] == "fulfilled", $"{answer.Key}: {answer.Value}, {statuses[answer.Key]}"));

        var expected = before with { OnHand = before.OnHand - fulfilled, Available = before.Available - fulfilled, Dispatched = before.Dispatched + fulfilled };
        await Eventually.BecomesAsync(expected, StockAsync);
        // compensation is behind the order's end: the books are closed when nothing is held any more
        IReadOnlyDictionary<Guid, string> ledger = new Dictionary<Guid, string>();
        await Eventually.BecomesAsync("", async () =>
        {
            ledger = await LedgerOfAsync(statuses.Keys);
            return string.Join("; ", statuses.Where(order => !IsRight(order.Value, ledger.GetValueOrDefault(order.Key, ""))).Take(3).Select(order => $"{order.Key} is {order.Value}, {ledger.GetValueOrDefault(order.Key, "")}"));
        });

        foreach (var service in (string[])["orders", "inventory", "payments"])
            Assert.Empty((await olga.GetAsync($"/api/ops/{service}/dead-letters")).GetProperty("items").EnumerateArray());
        Assert.Empty((await olga.GetAsync("/api/ops/orders/stuck")).GetProperty("items").EnumerateArray());

        _output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Orders} orders: {cancelled} cancelled, {fulfilled} fulfilled, of those {tooLate} with a cancellation that was taken in and came too late; at the end the cancel came {moment.Centre.TotalMilliseconds:N0} ms after the submit"));
        foreach (var way in statuses.GroupBy(order => $"{order.Value}: {ledger.GetValueOrDefault(order.Key, "never asked for money")}").OrderByDescending(way => way.Count()))
            _output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {way.Count()} {way.Key}"));
    }

    /// <summary>Captured once if and only if fulfilled, nothing given back that was not taken, nothing left held.</summary>
    private static bool IsRight(string status, string entries) => status == "fulfilled"
        ? entries == "authorized,captured"
        : entries is "" or "authorized,voided" or "authorized,captured,refunded";

    /// <summary>Each order's entries in their order; a payment that was voided before it was authorised is not among them: it never had an order's name.</summary>
    private async Task<IReadOnlyDictionary<Guid, string>> LedgerOfAsync(ICollection<Guid> orders)
    {
        var entries = await _shop.LedgerAsync();
        var orderOf = entries.Where(entry => entry.Reference is not null).DistinctBy(entry => entry.PaymentId)
            .ToDictionary(entry => entry.PaymentId, entry => Guid.Parse(entry.Reference!));
        return entries.Where(entry => orderOf.ContainsKey(entry.PaymentId)).GroupBy(entry => orderOf[entry.PaymentId]).Where(order => orders.Contains(order.Key))
            .ToDictionary(order => order.Key, order => string.Join(',', order.OrderBy(entry => entry.Sequence).Select(entry => entry.Kind)));
    }

    private async Task<StockLevel> StockAsync() => (await _shop.Gateway.GetFromJsonAsync<StockLevel>($"/api/stock/{Sku}"))!;

    /// <summary>When to cancel: at random between at once and twice the centre, which moves towards where half of the cancellations come too late to be taken in.</summary>
    private sealed class Moment(int seed)
    {
        private const double Step = 1.05;
        private readonly Random _random = new(seed);
        private readonly Lock _lock = new();
        private double _milliseconds = 30;

        public TimeSpan Centre => TimeSpan.FromMilliseconds(_milliseconds);

        public TimeSpan Next()
        {
            lock (_lock)
                return TimeSpan.FromMilliseconds(_milliseconds * 2 * _random.NextDouble());
        }

        public void Learn(bool early)
        {
            lock (_lock)
                _milliseconds = Math.Clamp(early ? _milliseconds * Step : _milliseconds / Step, 1, 10_000);
        }
    }
}
