using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Shop.Activity.Tests.Hosting;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Activity.Tests;

/// <summary>Records of all kinds through the real endpoint into the feed: broker, PostgreSQL, HTTP.</summary>
public sealed class FeedOverKafkaTests(ShopFixture shops)
{
    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    [Theory, MemberData(nameof(Brokers))]
    public async Task Odd_records_are_kept_and_hold_up_nobody(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        using var kafka = new KafkaWriter(shop.Kafka);
        var order = Guid.CreateVersion7();
        (string Type, byte[]? Body, string? Data, bool Malformed)[] odd =
        [
            ("shop.orders.order-submitted.v1", null, null, false),
            ("shop.orders.order-submitted.v1", "hello"u8.ToArray(), "\"hello\"", true),
            ("shop.orders.order-submitted.v1", "{}"u8.ToArray(), "{}", false),
            ("shop.orders.order-submitted.v1", [], "\"\"", true),
            ("shop.orders.order-submitted.v1", [0, 1, 0xFF], "\"\\u0000\\u0001\\uFFFD\"", true),
            ("shop.orders.never-heard-of.v9", """{"n":1.50,"nul":"\u0000"}"""u8.ToArray(), """{"n":1.50,"nul":"\u0000"}""", false),
            ("type with \0", "1e999999"u8.ToArray(), "1e999999", false),
            ("shop.orders.order-confirmed.v1", Encoding.UTF8.GetBytes(new string('[', 5_000)), null, true),
            ("shop.orders.order-submitted.v1", Encoding.UTF8.GetBytes($$"""{"orderId":"{{order}}","shopperId":"ada","lines":[null]}"""), null, false),
            ("shop.payments.payment-requested.v1", """{"paymentToken":"tok_visa","\ud800\ud800\ud800":2}"""u8.ToArray(), """{"\ud800\ud800\ud800":2}""", false),
        ];

        foreach (var (type, body, _, _) in odd)
            await kafka.WriteAsync(Topics.Orders, order.ToString(), type, body);
        await kafka.PublishAsync(new OrderSubmitted(order, "ada", [], new(1, "EUR"), new("A", "B", "C", "D", "DE"), DateTimeOffset.UnixEpoch));

        await Eventually.BecomesAsync(odd.Length + 1, async () => (await shop.TimelineAsync($"order={order}")).Length);
        var feed = await ItemsOfAsync(shop, order.ToString());
        Assert.Equal(odd.Length + 1, feed.Count);
        feed.Reverse();
        Assert.Equal(odd.Select(o => o.Malformed), feed.Take(odd.Length).Select(e => e.GetProperty("malformed").GetBoolean()));
        foreach (var (expected, actual) in odd.Zip(feed))
        {
            if (expected is { Data: { } data })
                Assert.Equal(data, actual.GetProperty("data").GetRawText());
        }
        Assert.Equal(JsonValueKind.Null, feed[0].GetProperty("data").ValueKind);
        Assert.Equal("type with \uFFFD", feed[6].GetProperty("type").GetString());
    }

    [Long]
    [Theory, MemberData(nameof(Brokers))]
    public async Task An_event_that_is_delivered_again_is_kept_once(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        using var kafka = new KafkaWriter(shop.Kafka);
        var sku = $"sku-{Guid.NewGuid()}";
        var id = Guid.CreateVersion7();

        await kafka.PublishAsync(new StockRanLow(sku, 9), id: id);
        await kafka.PublishAsync(new StockRanLow(sku, 9), id: id);
        await kafka.PublishAsync(new StockRanLow(sku, 8));

        await Eventually.BecomesAsync("8 9", async () => string.Join(' ', (await ItemsOfAsync(shop, sku))
            .Select(e => e.GetProperty("data").GetProperty("available").GetInt32())));
    }

    [Theory, MemberData(nameof(Brokers))]
    public async Task An_order_stays_with_its_first_owner(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        using var kafka = new KafkaWriter(shop.Kafka);
        var order = Guid.CreateVersion7();

        var (ada, mallory) = ($"ada-{order}", $"mallory-{order}");
        foreach (var shopper in (string[])[ada, mallory])
            await kafka.PublishAsync(new OrderSubmitted(order, shopper, [], new(1, "EUR"), new("A", "B", "C", "D", "DE"), DateTimeOffset.UnixEpoch));

        await Eventually.BecomesAsync(2, async () => (await shop.TimelineAsync($"shopper={ada}")).Length);
        Assert.Empty(await shop.TimelineAsync($"shopper={mallory}"));
    }

    [Theory, MemberData(nameof(Brokers))]
    public async Task Every_topic_that_is_no_stream_is_in_the_feed_and_its_pages_follow_each_other(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        using var kafka = new KafkaWriter(shop.Kafka);
        var key = Guid.CreateVersion7().ToString();
        await kafka.WriteAsync(Topics.ShopperActivity, key, "test.stream", "{}"u8.ToArray());
        foreach (var topic in Topics.Lasting)
            await kafka.WriteAsync(topic, key, $"test.{topic}", "{}"u8.ToArray());
        await Eventually.BecomesAsync(Topics.Lasting.Count, async () => (await ItemsOfAsync(shop, key)).Count);

        var pages = new List<JsonElement>();
        string? after = null;
        do
        {
            var page = await shop.FeedAsync(after is null ? "?limit=2" : $"?limit=2&after={after}");
            Assert.InRange(page.GetProperty("items").GetArrayLength(), 1, 2);
            pages.AddRange(page.GetProperty("items").EnumerateArray());
            after = page.GetProperty("next").GetString();
        }
        while (after is not null);
        Assert.Equal(Topics.Lasting.Select(topic => topic.Name).Order(), pages.Where(e => e.GetProperty("key").GetString() == key).Select(e => e.GetProperty("topic").GetString()).Order());
        Assert.Equal(pages.Count, pages.Select(e => e.GetProperty("id").GetGuid()).Distinct().Count());
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=101", "limit")]
    [InlineData("limit=x", "limit")]
    [InlineData("after=x", "after")]
    [InlineData("after=99999999999999999999", "after")]
    public async Task A_bad_query_is_refused_by_name(string query, string field)
    {
        var shop = await shops.OnAsync(Broker.Embedded);

        using var answer = await shop.GetAsync($"/api/activity/feed?{query}", TestTokens.Operator());
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal([field], problem.GetProperty("errors").EnumerateObject().Select(error => error.Name));
    }

    [Fact]
    public async Task Only_operators_read_the_feed()
    {
        var shop = await shops.OnAsync(Broker.Embedded);

        using var shopper = await shop.GetAsync("/api/activity/feed", TestTokens.Shopper("ada"));
        Assert.Equal(HttpStatusCode.Forbidden, shopper.StatusCode);
        using var nobody = await shop.GetAsync("/api/activity/feed", token: null);
        Assert.Equal(HttpStatusCode.Unauthorized, nobody.StatusCode);
    }

    [Fact]
    public async Task An_unknown_order_has_no_events() =>
        Assert.Empty(await (await shops.OnAsync(Broker.Embedded)).TimelineAsync($"order={Guid.CreateVersion7()}"));

    /// <summary>The key's events in the whole feed, newest first.</summary>
    private static async Task<List<JsonElement>> ItemsOfAsync(RunningActivity shop, string key)
    {
        var found = new List<JsonElement>();
        string? after = null;
        do
        {
            var page = await shop.FeedAsync(after is null ? "?limit=100" : $"?limit=100&after={after}");
            found.AddRange(page.GetProperty("items").EnumerateArray().Where(e => e.GetProperty("key").GetString() == key));
            after = page.GetProperty("next").GetString();
        }
        while (after is not null);
        return found;
    }
}
