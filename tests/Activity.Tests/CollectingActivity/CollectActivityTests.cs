using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Shop.Activity.Tests.Hosting;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Activity.Tests.CollectingActivity;

/// <summary>What pages send, on its way to the topic.</summary>
public sealed class CollectActivityTests(ShopFixture shops)
{
    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    [Theory, MemberData(nameof(Brokers))]
    public async Task What_is_right_is_on_the_topic_and_what_is_wrong_is_named(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        var sku = $"sku-{Guid.NewGuid()}";

        using var answer = await PostAsync(shop, $$"""
            [{"type":"ProductViewed","sku":"{{sku}}"}, 7, {"type":"ProductViewed"}, {"type":"Nonsense"}, {"type":"CartChanged","sku":"{{sku}}","quantity":-1},
             {"type":"CartChanged","sku":"{{sku}}","quantity":2,"more":1}, {"type":"ProductSearched","search":"\u0000"}, {"type":"ProductSearched","search":"\ud800"},
             {"type":"ProductSearched","search":"{{sku}}"}, {"type":"CheckoutStarted"}]
            """);

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal(4, body.GetProperty("accepted").GetInt32());
        Assert.Equal([(1, "Must"), (2, "sku:"), (3, "type:"), (4, "quantity:"), (6, "search:"), (7, "search:")], body.GetProperty("refused").EnumerateArray()
            .Select(refused => (refused.GetProperty("index").GetInt32(), refused.GetProperty("reason").GetString()!.Split(' ')[0])));
        using var topics = new TopicClient(shop.Kafka);
        var visitor = VisitorOf(answer);
        var written = (await topics.ReadUntilAsync(Topics.ShopperActivity, records => records.Count(record => record.Key == visitor.ToString()) == 4))
            .Where(record => record.Key == visitor.ToString()).ToArray();
        Assert.Equal([new ProductViewed(visitor, sku), new CartChanged(visitor, sku, 2), new ProductSearched(visitor, sku), new CheckoutStarted(visitor)], written.Select(record => record.Event));
        Assert.All(written, record => Assert.NotNull(record.Id));
    }

    [Fact]
    public async Task A_visitor_is_known_again_and_nobody_can_make_a_cookie()
    {
        var shop = await shops.OnAsync(Broker.Embedded);

        using var first = await PostAsync(shop, """[{"type":"CheckoutStarted"}]""");
        var cookie = first.Headers.GetValues("Set-Cookie").Single();
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        using var again = await PostAsync(shop, """[{"type":"CheckoutStarted"}]""", cookie.Split(';')[0]);
        Assert.False(again.Headers.Contains("Set-Cookie"));

        foreach (var forged in (string[])[$"visitor={Guid.NewGuid():N}.{cookie.Split(';')[0].Split('.')[1]}", "visitor=x", "visitor=.", $"visitor={Guid.NewGuid():N}.", $"visitor={Guid.NewGuid():N}.AAAA"])
        {
            using var other = await PostAsync(shop, """[{"type":"CheckoutStarted"}]""", forged);
            Assert.Equal(HttpStatusCode.Accepted, other.StatusCode);
            Assert.NotEqual(VisitorOf(first), VisitorOf(other));
        }
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("[")]
    [InlineData("")]
    [InlineData("null")]
    public async Task A_body_that_is_no_array_is_refused_by_name(string body)
    {
        var shop = await shops.OnAsync(Broker.Embedded);

        using var answer = await PostAsync(shop, body);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.NotEmpty(problem.GetProperty("errors").EnumerateObject());
    }

    [Fact]
    public async Task A_hundred_items_are_taken_and_one_more_is_not()
    {
        var shop = await shops.OnAsync(Broker.Embedded);
        static string Items(int count) => $"[{string.Join(',', Enumerable.Repeat("""{"type":"CheckoutStarted"}""", count))}]";

        using var taken = await PostAsync(shop, Items(100));
        Assert.Equal(HttpStatusCode.Accepted, taken.StatusCode);
        using var refused = await PostAsync(shop, Items(101));
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task One_address_cannot_send_without_end_and_another_still_can()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        await using var shop = await ShopFixture.StartAsync(broker.BootstrapServers, await shops.CreateDatabaseAsync(), ("Collecting:EventsPerAddress", "1"));

        using (await PostAsync(shop, """[{"type":"CheckoutStarted"}]""", address: "203.0.113.9"))
        {
            // the topic is there
        }
        // at once: who sends slowly enough may send for ever
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(async _ =>
        {
            using var answer = await PostAsync(shop, """[{"type":"CheckoutStarted"}]""");
            Assert.Equal(answer.StatusCode == HttpStatusCode.TooManyRequests, answer.Headers.RetryAfter is not null);
            return answer.StatusCode;
        }));
        Assert.Equal([HttpStatusCode.Accepted, HttpStatusCode.TooManyRequests], answers.Distinct().Order());
        using var other = await PostAsync(shop, """[{"type":"CheckoutStarted"}]""", address: "203.0.113.7");
        Assert.Equal(HttpStatusCode.Accepted, other.StatusCode);
    }

    [Fact]
    public async Task Where_the_broker_is_away_it_is_said()
    {
        await using var shop = await ShopFixture.StartAsync("127.0.0.1:1", await shops.CreateDatabaseAsync());

        using var answer = await PostOnceAsync(shop, """[{"type":"CheckoutStarted"}]""");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    /// <summary>Sends again, as the answer says, what a broker that has just been started does not take in time.</summary>
    private static async Task<HttpResponseMessage> PostAsync(RunningActivity shop, string body, string? cookie = null, string? address = null)
    {
        HttpResponseMessage? answer = null;
        await Eventually.BecomesTrueAsync(async () =>
        {
            answer?.Dispose();
            answer = await PostOnceAsync(shop, body, cookie, address);
            return answer.StatusCode != HttpStatusCode.ServiceUnavailable;
        });
        return answer!;
    }

    private static async Task<HttpResponseMessage> PostOnceAsync(RunningActivity shop, string body, string? cookie = null, string? address = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/activity") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (cookie is not null)
            request.Headers.Add("Cookie", cookie);
        if (address is not null)
            request.Headers.Add("X-Forwarded-For", address);
        return await shop.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static Guid VisitorOf(HttpResponseMessage answer) => Guid.Parse(answer.Headers.GetValues("Set-Cookie").Single()["visitor=".Length..].Split('.')[0]);
}
