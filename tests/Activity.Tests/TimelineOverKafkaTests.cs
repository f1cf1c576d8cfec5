using System.Net;
using System.Text.Json;
using Shop.Activity.Tests.Hosting;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Activity.Tests;

/// <summary>Events through the real endpoint into the timeline: broker, PostgreSQL, HTTP.</summary>
public sealed class TimelineOverKafkaTests(ShopFixture shops)
{
    private static readonly Money Price = new(9.90m, "EUR");

    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    [Theory, MemberData(nameof(Brokers))]
    public async Task An_orders_events_are_told_causes_first(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        using var kafka = new KafkaWriter(shop.Kafka);
        var order = Guid.CreateVersion7();
        var noon = new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

        var submitted = await kafka.PublishAsync(Submitted(order, "ada"), at: noon);
        // Inventory's clock is a second behind
        var reserved = await kafka.PublishAsync(new StockReserved(order, []), submitted, noon.AddSeconds(-1));
        var requested = await kafka.PublishAsync(new PaymentRequested(order, Guid.CreateVersion7(), "ada", Price, "tok_visa"), reserved, noon.AddMilliseconds(20));
        var authorized = await kafka.PublishAsync(new PaymentAuthorized(order, Guid.CreateVersion7(), Price), requested, noon.AddMilliseconds(10));
        await kafka.PublishAsync(new StockLevelChanged(order.ToString(), 1, 0, 1, 0), at: noon);

        await Eventually.BecomesAsync(4, async () => (await shop.TimelineAsync(order, TestTokens.Shopper("ada"))).Length);
        var timeline = await shop.TimelineAsync(order, TestTokens.Shopper("ada"));
        Assert.Equal([submitted, reserved, requested, authorized], timeline.Select(e => e.GetProperty("id").GetGuid()));
        Assert.Equal([null, "shop.orders.order-submitted.v1", "shop.reservations.stock-reserved.v1", "shop.orders.payment-requested.v1"], timeline.Select(e => e.GetProperty("causedBy").GetString()));
        Assert.Equal(["null", "0", "1020", "0"], timeline.Select(e => e.GetProperty("tookMs").GetRawText()));
        Assert.Equal(["type", "at", "topic", "partition", "offset", "id", "causationId", "data", "causedBy", "tookMs"], timeline[0].EnumerateObject().Select(p => p.Name));
        Assert.Equal("shop.orders.order-submitted.v1", timeline[0].GetProperty("type").GetString());
        Assert.Equal("orders", timeline[0].GetProperty("topic").GetString());
        Assert.Equal(noon, timeline[0].GetProperty("at").GetDateTimeOffset());
        Assert.Equal(JsonValueKind.Null, timeline[0].GetProperty("causationId").ValueKind);
        Assert.Equal(submitted, timeline[1].GetProperty("causationId").GetGuid());
        Assert.Equal("ada", timeline[0].GetProperty("data").GetProperty("shopperId").GetString());
        // nobody else's business
        Assert.Equal(4, (await shop.TimelineAsync(order, TestTokens.Operator())).Length);
        Assert.Empty(await shop.TimelineAsync(order, TestTokens.Shopper("bob")));
        using var anonymous = await shop.GetAsync($"/api/orders/{order}/timeline", token: null);
        Assert.Equal(HttpStatusCode.Unauthorized, anonymous.StatusCode);
    }

    [Fact]
    public async Task A_payments_token_is_nowhere_and_what_a_decision_was_based_on_is_for_operators()
    {
        var shop = await shops.OnAsync(Broker.Embedded);
        using var kafka = new KafkaWriter(shop.Kafka);
        var order = Guid.CreateVersion7();
        var noon = new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
        await kafka.PublishAsync(Submitted(order, "ada"), at: noon);
        await kafka.PublishAsync(new PaymentRequested(order, Guid.CreateVersion7(), "ada", Price, "tok_visa_4f9a"), at: noon);
        await kafka.PublishAsync(new PaymentHeld(order, Guid.CreateVersion7(), 0.93, ["many cards"]), at: noon);

        await Eventually.BecomesAsync(3, async () => (await shop.TimelineAsync(order, TestTokens.Shopper("ada"))).Length);
        var shoppers = string.Concat(await shop.TimelineAsync(order, TestTokens.Shopper("ada")));
        var operators = string.Concat(await shop.TimelineAsync(order, TestTokens.Operator()));
        using var feed = await shop.GetAsync("/api/activity/feed?limit=100", TestTokens.Operator());
        var feeds = await feed.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.All([shoppers, operators, feeds], text => Assert.DoesNotContain("tok_visa_4f9a", text, StringComparison.Ordinal));
        Assert.DoesNotContain("many cards", shoppers, StringComparison.Ordinal);
        Assert.DoesNotContain("0.93", shoppers, StringComparison.Ordinal);
        Assert.Contains("many cards", operators, StringComparison.Ordinal);
        Assert.Contains("payment-held", shoppers, StringComparison.Ordinal);
    }

    private static OrderSubmitted Submitted(Guid order, string shopper) =>
        new(order, shopper, [new("mug-blue", 1, Price)], Price, new("Ada", "Street 1", "London", "N1", "GB"), DateTimeOffset.UnixEpoch);
}
