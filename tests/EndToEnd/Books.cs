using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Shop.Testing;

namespace Shop.EndToEnd;

/// <summary>Orders that are placed while parts of the shop are killed, and what must be true of them in the end.</summary>
public sealed class Books
{
    /// <summary>The products that are ordered.</summary>
    public static readonly IReadOnlyList<string> Skus = ["mug-blue", "mug-red", "shirt-black"];
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(10);
    private readonly ConcurrentDictionary<Guid, (string Sku, bool Declined, Shopper Shopper)> _orders = new();
    private readonly ShopUnderTest _shop;
    private readonly StockLevel[] _before;
    private int _placed;

    private Books(ShopUnderTest shop, StockLevel[] before) => (_shop, _before) = (shop, before);

    /// <summary>How many orders were accepted.</summary>
    public int Accepted => _orders.Count;

    /// <summary>Notes what is in stock before the first order.</summary>
    public static async Task<Books> OpenAsync(ShopUnderTest shop)
    {
        var before = new StockLevel[Skus.Count];
        for (var i = 0; i < Skus.Count; i++) before[i] = (await StockAsync(shop, Skus[i]))!;
        return new(shop, before);
    }

    /// <summary>Does what a careful client does: repeats the request with the same key until it has an answer. Every tenth order's payment is declined.</summary>
    public async Task PlaceOrderAsync()
    {
        var number = Interlocked.Increment(ref _placed) - 1;
        var (sku, token) = (Skus[number % Skus.Count], (number % 10) switch { 3 => "tok_declined", 7 => "tok_flaky", _ => "tok_visa" });
        var key = Guid.CreateVersion7().ToString();
        Shopper? shopper = null;
        await Eventually.BecomesTrueAsync(async () =>
        {
            try
            {
                // one who orders hundreds of times in a minute is suspicious: every order is another shopper's
                shopper ??= await Shopper.LogInAsync(_shop.Gateway, $"customer-{number}");
                using var response = await shopper.SubmitAsync(Shopper.Order(sku, 1, token, $"{number} High Street"), key);
                if ((int)response.StatusCode >= 500) return false;
                Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
                var id = (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
                return _orders.TryAdd(id, (sku, token == "tok_declined", shopper));
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException or IOException)
            {
                return false; // killed while it answered
            }
        }, Deadline);
    }

    /// <summary>Returns when every order has ended: the declined ones cancelled and all others fulfilled, each captured once, the stock less by those.</summary>
    public async Task CloseAsync()
    {
        var statuses = new Dictionary<Guid, string>();
        foreach (var id in _orders.Keys)
            await Eventually.BecomesTrueAsync(async () => (statuses[id] = await _orders[id].Shopper.StatusAsync(id)) is "fulfilled" or "cancelled", Deadline);
        // only what was declined may be cancelled: nothing was lost on the way
        Assert.Equal(_orders.Where(order => order.Value.Declined).Select(order => order.Key).Order(), statuses.Where(order => order.Value == "cancelled").Select(order => order.Key).Order());
        for (var i = 0; i < Skus.Count; i++)
        {
            var sold = _orders.Values.Count(order => order.Sku == Skus[i] && !order.Declined);
            var expected = _before[i] with { OnHand = _before[i].OnHand - sold, Available = _before[i].Available - sold, Dispatched = _before[i].Dispatched + sold };
            await Eventually.BecomesAsync(expected, () => StockAsync(_shop, expected.Sku));
        }

        var captures = (await _shop.LedgerAsync()).Where(entry => entry.Kind == "captured").Select(entry => Guid.Parse(entry.Reference!));
        Assert.Equal(statuses.Where(order => order.Value == "fulfilled").Select(order => order.Key).Order(), captures.Where(_orders.ContainsKey).Order());
    }

    private static async Task<StockLevel?> StockAsync(ShopUnderTest shop, string sku)
    {
        try
        {
            return await shop.Gateway.GetFromJsonAsync<StockLevel>($"/api/stock/{sku}");
        }
        catch (HttpRequestException)
        {
            return null; // the gateway leaves an instance out for a moment after it was away
        }
    }
}
