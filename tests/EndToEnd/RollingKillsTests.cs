using System.Diagnostics;
using System.Globalization;
using Shop.Testing;

namespace Shop.EndToEnd;

public sealed class RollingKillsOnEmbeddedKafka(ITestOutputHelper output) : RollingKillsTests(Broker.Embedded, output);

public sealed class RollingKillsOnApacheKafka(ITestOutputHelper output) : RollingKillsTests(Broker.Apache, output);

/// <summary>
/// Five instances of each service, of which one after another is killed with -9 while people order. It takes ten minutes a broker, or
/// <c>SHOP_TEST_ROLLING_MINUTES</c>, so it runs only when it is asked for: <c>./shop test -class '*RollingKills*' -explicit only</c>.
/// </summary>
public abstract class RollingKillsTests(Broker broker, ITestOutputHelper output)
{
    private const int AtOnce = 4, StockOfEach = 100_000;

    private static readonly string[] Services = ["orders", "inventory", "payments", "activity"];
    private static readonly TimeSpan Duration = TimeSpan.FromMinutes(double.Parse(Environment.GetEnvironmentVariable("SHOP_TEST_ROLLING_MINUTES") ?? "10", CultureInfo.InvariantCulture));

    /// <summary>Shorter than a killed one needs to be back: there is always one missing.</summary>
    private static readonly TimeSpan KillInterval = TimeSpan.FromSeconds(6);

    [Fact(Explicit = true)]
    public async Task Every_order_ends_the_books_are_right_and_every_shard_has_an_owner()
    {
        // no fixture, which is started for a class whose tests are not run too
        await using var shop = new FiveInstances(broker);
        Assert.SkipWhen(shop.NotAvailable is not null, shop.NotAvailable ?? "");
        await shop.InitializeAsync();
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var receiver = await Shopper.LogInAsync(shop.Gateway, "receiver", "operator");
        foreach (var sku in Books.Skus)
        {
            using var received = await receiver.SendAsync(HttpMethod.Post, $"/api/ops/stock/{sku}/receipts", $$"""{"quantity":{{StockOfEach}}}""", $"rolling-{sku}");
            Assert.True(received.IsSuccessStatusCode, $"{received.StatusCode}");
        }
        var books = await Books.OpenAsync(shop);

        var (began, kills) = (Stopwatch.StartNew(), 0);
        var placing = Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            while (began.Elapsed < Duration)
                await books.PlaceOrderAsync();
        }));
        using (var timer = new PeriodicTimer(KillInterval))
        {
            while (began.Elapsed < Duration && !placing.IsFaulted)
            {
                // those that are there: of one that was just killed the process's id may still be told
                var victims = (await shop.PartsAsync()).Where(part => Services.Contains(part.Name) && part.State == "healthy" && part.Pid is not null).ToList();
                if (victims.Count > 0)
                {
                    using var victim = Process.GetProcessById(victims[random.Next(victims.Count)].Pid!.Value);
                    victim.Kill();
                    kills++;
                }
                await timer.WaitForNextTickAsync();
            }
        }
        await placing;
        output.WriteLine($"{books.Accepted} orders, {kills} kills");

        await books.CloseAsync();
        // the first half of the locks' key is "outb"
        foreach (var service in Services)
            await Eventually.BecomesAsync("16|16|0", () => shop.PsqlAsync(service, """
                SELECT count(*) || '|' || count(DISTINCT objid) || '|' || (SELECT count(*) FROM outbox) FROM pg_locks
                WHERE locktype = 'advisory' AND granted AND classid::int = 1869968482 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                """));
    }
}

/// <summary>A shop with five instances of each service.</summary>
public sealed class FiveInstances(Broker broker) : ShopUnderTest(broker, replicas: 5)
{
    /// <inheritdoc/>
    protected override IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>(base.Settings) { ["SHOP_DASHBOARD"] = "off" };
}
