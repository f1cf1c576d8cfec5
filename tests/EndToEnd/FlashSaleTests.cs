using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Shop.Testing;

namespace Shop.EndToEnd;

/// <summary>Many orders for few pieces, through the gateway, while one of two instances of Inventory is killed.</summary>
public sealed class FlashSaleTests(ShopInASale shop, ITestOutputHelper output) : IClassFixture<ShopInASale>
{
    private const int Orders = 10_000, Shoppers = 200, Pieces = 100, AtOnce = 16, PageSize = 100;
    private const string Sku = "mug-red";

    [Long]
    [Fact]
    public async Task As_many_orders_are_fulfilled_as_there_are_pieces_and_all_others_are_cancelled_as_out_of_stock()
    {
        var stockTaker = await Shopper.LogInAsync(shop.Gateway, "stock-taker", "operator");
        using var stocked = await stockTaker.SendAsync(HttpMethod.Post, $"/api/ops/stock/{Sku}/corrections", $$"""{"onHand":{{Pieces}},"reason":"flash sale"}""", "flash-sale");
        Assert.True(stocked.IsSuccessStatusCode, $"{stocked.StatusCode}");
        var shoppers = await Task.WhenAll(Enumerable.Range(0, Shoppers).Select(i => Shopper.LogInAsync(shop.Gateway, $"hunter-{i}")));

        // in turn, so that what is sold first goes to many: who orders often is suspicious, and held
        var (placed, watch) = (new ConcurrentBag<(int Shopper, Guid Order)>(), Stopwatch.StartNew());
        var placing = Parallel.ForAsync(0, Orders, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = TestContext.Current.CancellationToken }, async (i, _) =>
            placed.Add((i % Shoppers, await shoppers[i % Shoppers].SubmitOrderAsync(Shopper.Order(Sku, street: $"{i % Shoppers} High Street"), $"flash-{i}"))));
        await Eventually.BecomesTrueAsync(() => Task.FromResult(placing.IsFaulted || placed.Count >= Orders / 3));
        using (var victim = Process.GetProcessById((await shop.PartsAsync()).First(part => part is { Name: "inventory", Pid: not null }).Pid!.Value))
            victim.Kill();
        await placing;
        output.WriteLine($"{Orders} orders were placed in {watch.Elapsed.TotalSeconds:0} s");

        var ended = new List<Ended>();
        foreach (var shopper in shoppers)
            ended.AddRange(await EndedAsync(shopper));
        output.WriteLine($"all had ended after {watch.Elapsed.TotalSeconds:0} s");

        Assert.Equal(placed.Select(order => order.Order).Order(), ended.Select(order => order.Id).Order());
        Assert.Equal(Pieces, ended.Count(order => order.Status == "fulfilled"));
        var others = ended.Where(order => order.Status != "fulfilled").Select(order => (order.Status, order.Reason)).Distinct();
        Assert.Equal([("cancelled", $"Not enough in stock: {Sku} (1 ordered, 0 available)")], others);
        await Eventually.BecomesAsync((0, 0, 0), async () =>
        {
            var stock = (await shop.Gateway.GetFromJsonAsync<StockLevel>($"/api/stock/{Sku}"))!;
            return (stock.OnHand, stock.Reserved, stock.Available);
        });
        Assert.True((await shop.PartsAsync()).Where(part => part.Name == "inventory").Sum(part => part.Restarts) >= 1, "no instance of Inventory was killed");
    }

    /// <summary>The shopper's orders, once all of them have ended.</summary>
    private static async Task<List<Ended>> EndedAsync(Shopper shopper)
    {
        List<Ended> orders = [];
        await Eventually.BecomesTrueAsync(async () =>
        {
            orders = [.. (await shopper.GetAsync($"/api/orders?limit={PageSize}")).GetProperty("items").Deserialize<List<Ended>>(JsonSerializerOptions.Web)!];
            return orders.All(order => order.Status is "fulfilled" or "cancelled");
        });
        return orders;
    }

    private sealed record Ended(Guid Id, string Status, string? Reason);
}

/// <summary>A shop with two instances of each service, on EmbeddedKafka, whose dashboard is left out: thousands of orders would be its traces.</summary>
public sealed class ShopInASale() : ShopUnderTest(Broker.Embedded, replicas: 2)
{
    /// <inheritdoc/>
    protected override IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>(base.Settings) { ["SHOP_DASHBOARD"] = "off" };
}
