using System.Net;
using Shop.Activity.Tests.Hosting;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Activity.Tests.ReadingEvents;

/// <summary>What payments are made with, and what is known of them, in the feed and the timelines.</summary>
public sealed class PaymentSecrecyTests(ShopFixture shops)
{
    [Fact]
    public async Task A_payments_token_is_nowhere_and_what_a_decision_was_based_on_is_for_operators()
    {
        var shop = await shops.OnAsync(Broker.Embedded);
        using var kafka = new KafkaWriter(shop.Kafka);
        var order = Guid.CreateVersion7();
        var price = new Money(9.90m, "EUR");
        await kafka.PublishAsync(new PaymentRequested(order, Guid.CreateVersion7(), "ada", price, "tok_visa_4f9a"));
        await kafka.PublishAsync(new PaymentHeld(order, Guid.CreateVersion7(), 0.93, ["many cards"]));

        await Eventually.BecomesAsync(2, async () => (await shop.TimelineAsync($"order={order}")).Length);
        var timeline = string.Concat(await shop.TimelineAsync($"order={order}"));
        using var feed = await shop.GetAsync("/api/activity/feed?limit=100", TestTokens.Operator());
        var feeds = await feed.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.All([timeline, feeds], text => Assert.DoesNotContain("tok_visa_4f9a", text, StringComparison.Ordinal));
        Assert.Contains("many cards", timeline, StringComparison.Ordinal);
        foreach (var path in (string[])["timeline?order=" + order, "feed"])
        {
            using var refused = await shop.GetAsync($"/api/activity/{path}", TestTokens.Shopper("ada"));
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        }
    }
}
