using System.Diagnostics;
using Shop.Testing;

namespace Shop.EndToEnd;

public sealed class KilledPartsOnEmbeddedKafka(ShopOnEmbeddedKafka shop, ITestOutputHelper output) : KilledPartsTests(shop, output), IClassFixture<ShopOnEmbeddedKafka>
{
    /// <summary>On one broker: what ends the shop knows of none.</summary>
    [Long]
    [Fact]
    public Task A_killed_AppHost_or_orchestrator_takes_the_shop_with_it_and_no_order_is_lost() => KillWhatKeepsThePartsAsync();
}

public sealed class KilledPartsOnApacheKafka(ShopOnApacheKafka shop, ITestOutputHelper output) : KilledPartsTests(shop, output), IClassFixture<ShopOnApacheKafka>;

/// <summary>Every part, what keeps the parts and the whole shop are killed with -9 in the middle of two hundred orders; all of them end, and the books are right.</summary>
public abstract class KilledPartsTests
{
    private const int Orders = 200;

    /// <summary>All parts start again at about the same time.</summary>
    private static readonly TimeSpan HealingDeadline = TimeSpan.FromMinutes(10);
    private readonly ShopUnderTest _shop;
    private readonly ITestOutputHelper _output;

    protected KilledPartsTests(ShopUnderTest shop, ITestOutputHelper output)
    {
        Assert.SkipWhen(shop.NotAvailable is not null, shop.NotAvailable ?? "");
        (_shop, _output) = (shop, output);
    }

    [Long]
    [Fact]
    public async Task All_orders_end_the_stock_adds_up_and_every_fulfilled_order_is_captured_once()
    {
        var books = await Books.OpenAsync(_shop);
        var victims = new Queue<string>(["orders", "kafka", "inventory", "payment-provider", "payments", "postgres", "activity", "gateway"]);
        var healed = new List<Task>();

        for (var i = 0; i < Orders; i++)
        {
            if (i % (Orders / 10) == Orders / 20 && victims.TryDequeue(out var victim)) healed.Add(await KillAsync(victim));
            await books.PlaceOrderAsync();
        }

        Assert.Empty(victims);
        await Task.WhenAll(healed);
        await books.CloseAsync();
        Assert.All(await _shop.PartsAsync(), part => Assert.True(part.Restarts >= 1, $"{part.Name} was never killed"));
    }

    protected async Task KillWhatKeepsThePartsAsync()
    {
        var books = await Books.OpenAsync(_shop);
        Func<Task>[] ends =
        [
            () => KillAsync(IsOrchestrator),
            () => KillAsync(IsAppHost),
            () => KillAsync(process => IsOrchestrator(process) || IsAppHost(process)), // at the same moment
            () => _shop.RunAsync("down"),
        ];

        var placing = Parallel.ForEachAsync(Enumerable.Range(0, Orders), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (_, _) => await books.PlaceOrderAsync());
        for (var end = 0; end < ends.Length; end++)
        {
            await Eventually.BecomesTrueAsync(() => Task.FromResult(placing.IsFaulted || books.Accepted >= (end + 1) * Orders / (ends.Length + 1)));
            var since = Stopwatch.StartNew();
            await ends[end]();
            await Eventually.BecomesAsync("", () => Task.FromResult(string.Join('\n', _shop.Processes())));
            _output.WriteLine($"end {end + 1}: nothing runs any more after {since.Elapsed.TotalSeconds:0.0} s");
            await _shop.UpAsync();
        }

        await placing;
        await books.CloseAsync();
        Assert.All(await _shop.PartsAsync(), part => Assert.Equal(0, part.Restarts));
    }

    private Task KillAsync(Func<string, bool> choose)
    {
        var victims = _shop.Processes().Where(process => choose(process.Arguments)).ToList();
        Assert.NotEmpty(victims);
        foreach (var victim in victims)
        {
            using var process = Process.GetProcessById(victim.Id);
            process.Kill();
        }

        return Task.CompletedTask;
    }

    private static bool IsOrchestrator(string arguments) => arguments.Contains("/dcp ", StringComparison.Ordinal);

    private static bool IsAppHost(string arguments) => arguments.Contains("AppHost.dll", StringComparison.Ordinal);

    /// <summary>Kills a part.</summary>
    /// <returns>Ends when it is healthy again.</returns>
    private async Task<Task> KillAsync(string name)
    {
        // none while it is being started again
        int? pid = null;
        await Eventually.BecomesTrueAsync(async () => (pid = (await PartAsync(name)).Pid) is not null);
        using var process = Process.GetProcessById(pid!.Value);
        process.Kill();
        await process.WaitForExitAsync();
        return HealedAsync(name, pid.Value, Stopwatch.StartNew());
    }

    private async Task HealedAsync(string name, int killed, Stopwatch since)
    {
        await Eventually.BecomesTrueAsync(async () => await PartAsync(name) is { State: "healthy" } part && part.Pid != killed, HealingDeadline);
        _output.WriteLine($"{name}: healthy again after {since.Elapsed.TotalSeconds:0.0} s");
    }

    private async Task<Part> PartAsync(string name) => (await _shop.PartsAsync()).Single(part => part.Name == name);
}
