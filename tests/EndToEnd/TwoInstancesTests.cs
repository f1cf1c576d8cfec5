using System.Net;
using System.Text.Json;
using Shop.Testing;

namespace Shop.EndToEnd;

/// <summary>What must hold whichever of the two instances of each service the gateway asks.</summary>
public sealed partial class TwoInstancesTests(ShopWithTwoInstances shop) : IClassFixture<ShopWithTwoInstances>
{
    [Fact]
    public async Task Fifty_submissions_at_once_with_one_key_are_one_order_and_fifty_equal_answers()
    {
        await Eventually.BecomesAsync(2, async () => (await shop.PartsAsync()).Count(part => part is { Name: "orders", State: "healthy" }));
        for (var round = 0; round < 3; round++)
        {
            var ada = await Shopper.LogInAsync(shop.Gateway, $"ada-{round}");

            var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ =>
            {
                using var response = await ada.SubmitAsync(Shopper.Order(), "one-key");
                return (response.StatusCode, response.Headers.Location, Body: await response.Content.ReadAsStringAsync());
            }));
            Assert.All(answers, answer => Assert.Equal(answers[0], answer));
            Assert.Equal(HttpStatusCode.Accepted, answers[0].StatusCode);
            var order = Assert.Single((await ada.GetAsync("/api/orders")).GetProperty("items").EnumerateArray());
            Assert.Equal(order.GetProperty("id").GetGuid(), JsonSerializer.Deserialize<JsonElement>(answers[0].Body).GetProperty("id").GetGuid());
            await ada.WaitForEndAsync(order.GetProperty("id").GetGuid(), "fulfilled");
            Assert.Single(await LedgerAsync(order.GetProperty("id").GetGuid()), entry => entry.Kind == "captured");
        }
    }

    [Fact]
    public async Task A_stream_that_is_cut_anywhere_and_resumed_shows_every_change_once_and_in_order()
    {
        string[] life = ["order-submitted", "stock-reserved", "payment-requested", "payment-authorized", "order-confirmed"];
        var ada = await Shopper.LogInAsync(shop.Gateway, "streaming-ada");
        var runs = Enumerable.Range(0, 9).Select(async cut =>
        {
            // the provider takes 3 s: every stream is open long before the order is through
            var id = await ada.SubmitOrderAsync(Shopper.Order(token: "tok_slow"));
            var events = cut == 0 ? [] : await ada.StreamAsync(id, null, atMost: cut);
            Assert.Equal(Math.Min(cut, 8), events.Count);
            events.AddRange(await ada.StreamAsync(id, events.LastOrDefault()?.Id));
            Assert.Empty(await ada.StreamAsync(id, events[^1].Id));
            return (Id: id, Events: events);
        });

        foreach (var (id, events) in await Task.WhenAll(runs))
        {
            Assert.Equal(["1", "2", "3", "4", "5", "6", "7", "8"], events.Select(e => e.Id));
            Assert.Equal(life, events.Take(5).Select(e => e.Type));
            Assert.Equal(["payment-captured", "stock-dispatched"], events.Skip(5).Take(2).Select(e => e.Type).Order());
            Assert.Equal("order-fulfilled", events[7].Type);
            Assert.Equal(["submitted", "submitted", "reserved", "reserved", "confirmed", "confirmed", "confirmed", "fulfilled"], events.Select(e => e.Status));
            var timeline = await ada.TimelineAsync(id, Shopper.FulfilledLife);
            Assert.Equal(timeline.Select(e => e.Id).Order(), events.Select(e => e.EventId).Order());
            // the order as it was after each of them
            foreach (var e in events)
                Assert.Equal(e.Status, (await ada.GetAsync($"/api/orders/{id}?at={e.EventId}")).GetProperty("status").GetString());
        }
    }

    private async Task<IReadOnlyList<LedgerEntry>> LedgerAsync(Guid order) =>
        [.. (await shop.LedgerAsync()).Where(entry => entry.Reference == order.ToString())];
}
