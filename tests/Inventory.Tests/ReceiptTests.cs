using System.Net;
using Shop.Inventory.Tests.Hosting;
using Shop.Testing;

namespace Shop.Inventory.Tests;

public sealed class ReceiptTests(ShopFixture shops)
{
    private const string Hundred = """{"quantity":100}""";

    [Fact]
    public async Task Goods_arrive_and_are_told()
    {
        var shop = await shops.WithoutBrokerAsync();
        await shop.Instance.StockUpAsync("receipt-told", 5);

        using var answer = await shop.Instance.PostReceiptAsync("receipt-told", "told-1", Hundred);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("""{"sku":"receipt-told","onHand":105,"reserved":0,"available":105,"dispatched":0}""", (await answer.JsonAsync()).GetRawText());
        Assert.Equal(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), (await shop.OutboxAsync("receipt-told"))[^1].Body);
    }

    [Fact]
    public async Task Fifty_equal_requests_at_once_are_booked_once_and_answered_alike()
    {
        var shop = await shops.WithoutBrokerAsync();
        await shop.Instance.StockUpAsync("receipt-fifty", 1);

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => shop.Instance.PostReceiptAsync("receipt-fifty", "fifty-1", Hundred)));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        var bodies = await Task.WhenAll(answers.Select(answer => answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
        Assert.Single(bodies.Distinct());
        Assert.Equal(101, (await shop.Instance.GetJsonAsync("/api/stock/receipt-fifty")).Levels().OnHand);
    }

    [Fact]
    public async Task A_repeat_has_the_first_answer_whatever_came_between()
    {
        var shop = await shops.WithoutBrokerAsync();
        await shop.Instance.StockUpAsync("receipt-repeat", 1);

        using var first = await shop.Instance.PostReceiptAsync("receipt-repeat", "repeat-1", Hundred);
        using var between = await shop.Instance.PostReceiptAsync("receipt-repeat", "repeat-2", Hundred);
        using var repeat = await shop.Instance.PostReceiptAsync("receipt-repeat", "repeat-1", """{ "quantity" : 100, "note": "unknown members make no difference" }""");
        Assert.Equal((await first.JsonAsync()).GetRawText(), (await repeat.JsonAsync()).GetRawText());
        Assert.Equal(201, (await shop.Instance.GetJsonAsync("/api/stock/receipt-repeat")).Levels().OnHand);
    }

    [Fact]
    public async Task A_key_is_for_one_request()
    {
        var shop = await shops.WithoutBrokerAsync();
        await shop.Instance.StockUpAsync("receipt-key", 1);
        await shop.Instance.StockUpAsync("receipt-key-2", 1);

        using var first = await shop.Instance.PostReceiptAsync("receipt-key", "key-1", Hundred);
        using var otherBody = await shop.Instance.PostReceiptAsync("receipt-key", "key-1", """{"quantity":99}""");
        await Answers.AssertProblemAsync(otherBody, HttpStatusCode.UnprocessableEntity, "Idempotency-Key");
        using var otherSku = await shop.Instance.PostReceiptAsync("receipt-key-2", "key-1", Hundred);
        await Answers.AssertProblemAsync(otherSku, HttpStatusCode.UnprocessableEntity, "Idempotency-Key");
        using var otherOperator = await shop.Instance.PostReceiptAsync("receipt-key", "key-1", Hundred, "oscar");
        Assert.Equal(HttpStatusCode.OK, otherOperator.StatusCode);
        Assert.Equal(201, (await shop.Instance.GetJsonAsync("/api/stock/receipt-key")).Levels().OnHand);
        Assert.Equal(1, (await shop.Instance.GetJsonAsync("/api/stock/receipt-key-2")).Levels().OnHand);
    }

    [Fact]
    public async Task A_key_used_at_once_for_many_skus_books_one()
    {
        var shop = await shops.WithoutBrokerAsync();
        var skus = Enumerable.Range(0, 10).Select(i => $"receipt-race-{i}").ToList();
        foreach (var sku in skus)
            await shop.Instance.StockUpAsync(sku, 1);

        var answers = await Task.WhenAll(skus.Select(sku => shop.Instance.PostReceiptAsync(sku, "race-1", Hundred)));
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        Assert.Equal(9, answers.Count(answer => answer.StatusCode == HttpStatusCode.UnprocessableEntity));
        Assert.Equal(110, await shop.ScalarAsync<long>("SELECT sum(on_hand) FROM stock WHERE sku LIKE 'receipt-race-%'"));
    }

    [Fact]
    public async Task More_than_can_be_counted_is_refused()
    {
        var shop = await shops.WithoutBrokerAsync();
        await shop.Instance.StockUpAsync("receipt-full", 1);
        await shop.Booking.ExecuteAsync("UPDATE stock SET on_hand = 1000, dispatched = 2147483647 - 1000 - 5 WHERE sku = 'receipt-full'");

        using var tooMany = await shop.Instance.PostReceiptAsync("receipt-full", "full-1", """{"quantity":6}""");
        await Answers.AssertProblemAsync(tooMany, HttpStatusCode.BadRequest, "quantity");
        using var justFits = await shop.Instance.PostReceiptAsync("receipt-full", "full-1", """{"quantity":5}""");
        Assert.Equal(HttpStatusCode.OK, justFits.StatusCode);
        using var repeat = await shop.Instance.PostReceiptAsync("receipt-full", "full-1", """{"quantity":5}""");
        Assert.Equal(HttpStatusCode.OK, repeat.StatusCode);
    }

    [Theory]
    [InlineData("bad-1", """{"quantity":0}""", "quantity")]
    [InlineData("bad-1", """{"quantity":-1}""", "quantity")]
    [InlineData("bad-1", """{"quantity":1000001}""", "quantity")]
    [InlineData("bad-1", """{"quantity":1e9}""", "quantity")]
    [InlineData("bad-1", """{"quantity":99999999999}""", "quantity")]
    [InlineData("bad-1", """{"quantity":1.5}""", "quantity")]
    [InlineData("bad-1", """{"quantity":"1"}""", "quantity")]
    [InlineData("bad-1", """{"quantity":null}""", "quantity")]
    [InlineData("bad-1", "{}", "quantity")]
    [InlineData("bad-1", "{", "body")]
    [InlineData("bad-1", "", "body")]
    [InlineData(null, Hundred, "Idempotency-Key")]
    [InlineData("", Hundred, "Idempotency-Key")]
    [InlineData("two words", Hundred, "Idempotency-Key")]
    [InlineData("x23456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789", Hundred, "Idempotency-Key")]
    public async Task A_bad_receipt_is_refused_by_field(string? key, string body, string field)
    {
        var shop = await shops.WithoutBrokerAsync();

        using var answer = await shop.Instance.PostReceiptAsync("mug-red", key, body);
        await Answers.AssertProblemAsync(answer, HttpStatusCode.BadRequest, field);
        Assert.Equal(300, (await shop.Instance.GetJsonAsync("/api/stock/mug-red")).Levels().OnHand);
    }

    [Fact]
    public async Task An_unknown_sku_is_not_found_and_does_not_use_up_the_key()
    {
        var shop = await shops.WithoutBrokerAsync();
        await shop.Instance.StockUpAsync("receipt-known", 1);

        using var unknown = await shop.Instance.PostReceiptAsync("receipt-unknown", "unknown-1", Hundred);
        await Answers.AssertUnknownAsync(unknown, "receipt-unknown");
        using var known = await shop.Instance.PostReceiptAsync("receipt-known", "unknown-1", Hundred);
        Assert.Equal(HttpStatusCode.OK, known.StatusCode);
    }

    [Fact]
    public async Task Only_operators_book_receipts()
    {
        var shop = await shops.WithoutBrokerAsync();

        using var shopper = await shop.Instance.SendAsync(HttpMethod.Post, "/api/ops/stock/mug-red/receipts", Hundred, TestTokens.Shopper("ada"), "shopper-1");
        await Answers.AssertProblemAsync(shopper, HttpStatusCode.Forbidden, field: null);
        using var nobody = await shop.Instance.SendAsync(HttpMethod.Post, "/api/ops/stock/mug-red/receipts", Hundred, token: null, "nobody-1");
        await Answers.AssertProblemAsync(nobody, HttpStatusCode.Unauthorized, field: null);
    }
}
