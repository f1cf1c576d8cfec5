using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Shop.Inventory.Stock;
using Shop.Inventory.Tests.Hosting;
using Shop.Testing;

namespace Shop.Inventory.Tests;

public sealed class CorrectionTests(ShopFixture shops)
{
    private const string Counted = """{"onHand":97,"reason":"stock-taking"}""";

    [Fact]
    public async Task What_was_counted_is_on_hand_and_told_and_a_repeat_has_the_first_answer()
    {
        var shop = await shops.WithoutBrokerAsync();
        await shop.Instance.StockUpAsync("counted", 100);

        using var answer = await shop.Instance.PostCorrectionAsync("counted", "counted-1", Counted);
        var told97 = (await answer.JsonAsync()).GetRawText();
        Assert.Equal("""{"sku":"counted","onHand":97,"reserved":0,"available":97,"dispatched":0}""", told97);
        Assert.Equal(told97, (await shop.OutboxAsync("counted"))[^1].Body);
        using var found = await shop.Instance.PostCorrectionAsync("counted", "counted-2", """{"onHand":98,"reason":"one was behind the shelf"}""");
        using var repeat = await shop.Instance.PostCorrectionAsync("counted", "counted-1", Counted);
        Assert.Equal(told97, (await repeat.JsonAsync()).GetRawText());
        Assert.Equal(98, (await shop.Instance.GetJsonAsync("/api/stock/counted")).Levels().OnHand);

        // nothing moved: nothing is told
        var told = (await shop.OutboxAsync("counted")).Count;
        using var same = await shop.Instance.PostCorrectionAsync("counted", "counted-3", """{"onHand":98,"reason":"stock-taking"}""");
        Assert.Equal(HttpStatusCode.OK, same.StatusCode);
        Assert.Equal(told, (await shop.OutboxAsync("counted")).Count);
        Assert.Equal(3, (await shop.Instance.MovementsAsync("counted")).Count);
    }

    [Fact]
    public async Task Fewer_than_orders_hold_is_a_conflict_that_says_how_many()
    {
        var shop = await shops.WithoutBrokerAsync();
        await shop.Instance.StockUpAsync("held", 10);
        await using (var scope = shop.Instance.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<InventoryDb>();
            var item = await db.Stock.SingleAsync(item => item.Sku == "held", TestContext.Current.CancellationToken);
            db.Record(new(item.Reserve(4), MovementCause.Order, "test", null, DateTimeOffset.UnixEpoch));
            await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        }

        using var refused = await shop.Instance.PostCorrectionAsync("held", "held-1", """{"onHand":3,"reason":"stolen"}""");
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Equal("Orders hold 4 pieces: some have to be cancelled before fewer can be on hand.", (await refused.JsonAsync()).GetProperty("errors").GetProperty("onHand")[0].GetString());
        using var taken = await shop.Instance.PostCorrectionAsync("held", "held-1", """{"onHand":4,"reason":"stolen"}""");
        Assert.Equal((4, 4, 0, 0), (await taken.JsonAsync()).Levels());
    }

    [Fact]
    public async Task A_key_is_for_one_request()
    {
        var shop = await shops.WithoutBrokerAsync();
        await shop.Instance.StockUpAsync("correct-key", 1);

        using var first = await shop.Instance.PostCorrectionAsync("correct-key", "key-1", Counted);
        using var otherCount = await shop.Instance.PostCorrectionAsync("correct-key", "key-1", """{"onHand":96,"reason":"stock-taking"}""");
        await Answers.AssertProblemAsync(otherCount, HttpStatusCode.UnprocessableEntity, "Idempotency-Key");
        using var otherReason = await shop.Instance.PostCorrectionAsync("correct-key", "key-1", """{"onHand":97,"reason":"another"}""");
        await Answers.AssertProblemAsync(otherReason, HttpStatusCode.UnprocessableEntity, "Idempotency-Key");
        using var otherOperator = await shop.Instance.PostCorrectionAsync("correct-key", "key-1", """{"onHand":96,"reason":"stock-taking"}""", "oscar");
        Assert.Equal(HttpStatusCode.OK, otherOperator.StatusCode);
    }

    [Fact]
    public async Task Under_one_key_each_of_two_operators_books_once_however_often_both_ask_at_once()
    {
        var shop = await shops.StartWithoutBrokerAsync(instances: 2);
        await using var _ = shop;
        await shop.Instance.StockUpAsync("both", 100);
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i =>
            shop.Instances[i / 2 % 2].PostCorrectionAsync("both", "both-1", i % 2 == 0 ? """{"onHand":90,"reason":"olga"}""" : """{"onHand":80,"reason":"oscar"}""", i % 2 == 0 ? "olga" : "oscar")));
        foreach (var (i, answer) in answers.Index())
        {
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(i % 2 == 0 ? 90 : 80, (await answer.JsonAsync()).Levels().OnHand);
            answer.Dispose();
        }
        var movements = await shop.Instance.MovementsAsync("both");
        Assert.Equal(2, movements.Count(movement => movement.GetProperty("cause").GetString() == "correction"));
        Assert.Equal(0, await shop.ScalarAsync<long>(RunningInventory.UnequalToLedger("both")));
    }

    [Theory]
    [InlineData("""{"onHand":1,"onHand":2,"reason":"x"}""", "onHand")]
    [InlineData("""{"onHand":1e400,"reason":"x"}""", "onHand")]
    [InlineData("""{"onHand":NaN,"reason":"x"}""", null)]
    [InlineData("""{"onHand":1,"reason":"\ud800"}""", null)]
    [InlineData("""{"onHand":-1,"reason":"x"}""", "onHand")]
    [InlineData("""{"onHand":1.5,"reason":"x"}""", "onHand")]
    [InlineData("""{"onHand":99999999999,"reason":"x"}""", "onHand")]
    [InlineData("""{"reason":"x"}""", "onHand")]
    [InlineData("""{"onHand":1}""", "reason")]
    [InlineData("""{"onHand":1,"reason":" "}""", "reason")]
    [InlineData("""{"onHand":1,"reason":"a\u0000b"}""", null)]
    [InlineData("{", "body")]
    public async Task A_bad_correction_is_refused_by_field(string body, string? field)
    {
        var shop = await shops.WithoutBrokerAsync();
        using var answer = await shop.Instance.PostCorrectionAsync("mug-red", "bad-1", body);
        await Answers.AssertProblemAsync(answer, HttpStatusCode.BadRequest, field);
        Assert.Equal(300, (await shop.Instance.GetJsonAsync("/api/stock/mug-red")).Levels().OnHand);
    }

    [Fact]
    public async Task Only_operators_correct_what_is_there()
    {
        var shop = await shops.WithoutBrokerAsync();
        using var unknown = await shop.Instance.PostCorrectionAsync("correct-unknown", "unknown-1", Counted);
        await Answers.AssertUnknownAsync(unknown, "correct-unknown");
        using var shopper = await shop.Instance.SendAsync(HttpMethod.Post, "/api/ops/stock/mug-red/corrections", Counted, TestTokens.Shopper("ada"), "shopper-1");
        await Answers.AssertProblemAsync(shopper, HttpStatusCode.Forbidden, field: null);
    }
}
