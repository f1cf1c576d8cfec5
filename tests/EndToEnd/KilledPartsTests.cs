using System.Diagnostics;
using System.Net.Http.Json;
using Shop.Testing;

namespace Shop.EndToEnd;

public sealed class KilledPartsOnEmbeddedKafka(ShopOnEmbeddedKafka shop) : KilledPartsTests(shop), IClassFixture<ShopOnEmbeddedKafka>;

public sealed class KilledPartsOnApacheKafka(ShopOnApacheKafka shop) : KilledPartsTests(shop), IClassFixture<ShopOnApacheKafka>;

/// <summary>Every part is killed with -9 in the middle of two hundred orders; all of them end, and the books are right.</summary>
public abstract class KilledPartsTests
{
    private const int Orders = 200;
    private static readonly string[] Skus = ["mug-blue", "mug-red", "shirt-black"];
    private static readonly TimeSpan EndDeadline = TimeSpan.FromMinutes(3);
    private readonly ShopUnderTest _shop;

    protected KilledPartsTests(ShopUnderTest shop)
    {
        Assert.SkipWhen(shop.NotAvailable is not null, shop.NotAvailable ?? "");
        _shop = shop;
    }

    [Fact]
    public async Task All_orders_end_the_stock_adds_up_and_every_fulfilled_order_is_captured_once()
    {
        var before = await Task.WhenAll(Skus.Select(StockAsync));
        var ada = await Shopper.LogInAsync(_shop.Gateway, "ada");
        var victims = new Queue<string>(["orders", "kafka", "inventory", "payment-provider", "payments", "postgres", "activity", "gateway"]);
        var orders = new Dictionary<Guid, string>();

        for (var i = 0; i < Orders; i++)
        {
            if (i % (Orders / 10) == Orders / 20 && victims.TryDequeue(out var victim))
                await KillAsync(victim);
            var sku = Skus[i % Skus.Length];
            var token = (i % 10) switch { 3 => "tok_declined", 7 => "tok_flaky", _ => "tok_visa" };
            orders.Add(await SubmitUntilAcceptedAsync(ada, Shopper.Order(sku, 1, token)), sku);
        }
        Assert.Empty(victims);

        var statuses = new Dictionary<Guid, string>();
        foreach (var id in orders.Keys)
        {
            await Eventually.BecomesTrueAsync(async () => (statuses[id] = await ada.StatusAsync(id)) is "fulfilled" or "cancelled", EndDeadline);
        }
        // only what was declined may be cancelled: nothing was lost on the way
        Assert.Equal(Orders / 10, statuses.Values.Count(status => status == "cancelled"));
        for (var i = 0; i < Skus.Length; i++)
        {
            var fulfilled = orders.Count(order => order.Value == Skus[i] && statuses[order.Key] == "fulfilled");
            var expected = before[i] with { OnHand = before[i].OnHand - fulfilled, Available = before[i].Available - fulfilled, Dispatched = before[i].Dispatched + fulfilled };
            await Eventually.BecomesAsync(expected, async () =>
            {
                try
                {
                    return await StockAsync(expected.Sku);
                }
                catch (HttpRequestException)
                {
                    return null; // the gateway leaves an instance out for a moment after it was away
                }
            });
        }
        var captures = (await _shop.LedgerAsync()).Where(entry => entry.Kind == "captured").Select(entry => Guid.Parse(entry.Reference!)).ToList();
        Assert.Equal(statuses.Where(order => order.Value == "fulfilled").Select(order => order.Key).Order(), captures.Where(orders.ContainsKey).Order());
        Assert.All(await _shop.PartsAsync(), part => Assert.True(part.Restarts >= 1, $"{part.Name} was never killed"));
    }

    private async Task KillAsync(string name)
    {
        // none while it is being started again
        int? pid = null;
        await Eventually.BecomesTrueAsync(async () => (pid = (await _shop.PartsAsync()).Single(part => part.Name == name).Pid) is not null);
        using var process = Process.GetProcessById(pid!.Value);
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>Does what a careful client does: repeats the request with the same key until it has an answer.</summary>
    private static async Task<Guid> SubmitUntilAcceptedAsync(Shopper shopper, string body)
    {
        var key = Guid.CreateVersion7().ToString();
        var id = Guid.Empty;
        await Eventually.BecomesTrueAsync(async () =>
        {
            try
            {
                using var response = await shopper.SubmitAsync(body, key);
                if ((int)response.StatusCode >= 500)
                    return false;
                Assert.Equal(System.Net.HttpStatusCode.Accepted, response.StatusCode);
                id = (await response.Content.ReadFromJsonAsync<System.Text.Json.JsonElement>()).GetProperty("id").GetGuid();
                return true;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException or IOException)
            {
                return false;
            }
        });
        return id;
    }

    private async Task<StockLevel> StockAsync(string sku) => (await _shop.Gateway.GetFromJsonAsync<StockLevel>($"/api/stock/{sku}"))!;
}
