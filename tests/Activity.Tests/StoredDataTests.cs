using System.Text;
using Shop.Activity.StoringEvents;
using Shop.Contracts;

namespace Shop.Activity.Tests;

public sealed class StoredDataTests
{
    [Theory]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData(""" [ 1.50 , 1e999999 ] """)]
    [InlineData("""{"nul":"\u0000","lone":"\ud800"}""")]
    [InlineData("null")]
    [InlineData("\"text\"")]
    public void Json_is_kept_to_the_letter(string json) =>
        Assert.Equal((json, false), StoredEvent.DataOf(Encoding.UTF8.GetBytes(json)));

    [Theory]
    [InlineData("", "\"\"")]
    [InlineData("hello", "\"hello\"")]
    [InlineData("{\"a\":1,}", "\"{\\u0022a\\u0022:1,}\"")]
    [InlineData("NaN", "\"NaN\"")]
    [InlineData("{} {}", "\"{} {}\"")]
    [InlineData("a\0b", "\"a\\u0000b\"")]
    [InlineData("\"a\0b\"", "\"\\u0022a\\u0000b\\u0022\"")]
    public void What_is_no_json_is_kept_as_its_text(string body, string data) =>
        Assert.Equal((data, true), StoredEvent.DataOf(Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void Bytes_that_are_no_text_are_kept_as_far_as_they_are() =>
        Assert.Equal(("\"\\uFFFD(\"", true), StoredEvent.DataOf([0xC3, 0x28]));

    [Fact]
    public void Json_with_broken_text_in_a_string_is_no_json() =>
        Assert.True(StoredEvent.DataOf([(byte)'"', 0xC3, (byte)'"']).Malformed);

    [Theory]
    [InlineData("""{"paymentToken":1,"\ud800\ud800\ud800":2}""", """{"\ud800\ud800\ud800":2}""")]
    [InlineData("""{"paymentToken\ud800":1,"paymentToken":2}""", """{"paymentToken\ud800":1}""")]
    public void What_nobody_keeps_is_left_out_beside_names_that_are_no_text(string body, string data) =>
        Assert.Equal((data, false), StoredEvent.DataOf(Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void Lines_of_an_order_that_are_none_name_no_products()
    {
        var order = Guid.CreateVersion7();

        Assert.Equal(["mug-blue"], FeedHandler.SkusOf(new(order, "ada", [null!, new("mug-blue", 1, new(1, "EUR"))], new(1, "EUR"), new("A", "B", "C", "D", "DE"), DateTimeOffset.UnixEpoch)).Select(ordered => ordered.Sku));
        Assert.Null(FeedHandler.OrderIn(Submitted(order, "\"\\ud800\"")));
    }

    [Fact]
    public void Nesting_deeper_than_anybody_reads_is_kept_as_text() =>
        Assert.True(StoredEvent.DataOf(Encoding.UTF8.GetBytes(new string('[', 100_000) + new string(']', 100_000))).Malformed);

    [Fact]
    public void A_tombstone_has_no_data() => Assert.Equal((null, false), StoredEvent.DataOf(null));

    [Fact]
    public void An_order_belongs_to_the_shopper_who_submitted_it()
    {
        var order = Guid.CreateVersion7();

        Assert.Equal((order, "ada"), FeedHandler.OrderIn(Submitted(order, "\"ada\"")) is { } submitted ? (submitted.OrderId, submitted.ShopperId) : default);
        Assert.Null(FeedHandler.OrderIn(Submitted(order, "null")));
        Assert.Null(FeedHandler.OrderIn(Submitted(order, "\"a\\u0000b\"")));
        Assert.Null(FeedHandler.OrderIn(Submitted(order, "17")));
        Assert.Null(FeedHandler.OrderIn(Submitted(order, "\"ada\"") with { Key = Guid.CreateVersion7().ToString() }));
        Assert.Null(FeedHandler.OrderIn(Submitted(order, "\"ada\"") with { Topic = "stock" }));
        Assert.Null(FeedHandler.OrderIn(Submitted(order, "\"ada\"") with { Type = "shop.orders.order-confirmed.v1" }));
        Assert.Null(FeedHandler.OrderIn(Submitted(order, "\"ada\"") with { Data = null }));
        Assert.Null(FeedHandler.OrderIn(Submitted(order, "\"ada\"") with { Data = "\"text\"", Malformed = true }));
    }

    private static StoredEvent Submitted(Guid order, string shopper) => new(
        Guid.CreateVersion7(), "shop.orders.order-submitted.v1", Topics.Orders.Name, 0, 0, order.ToString(), "/shop/orders", order.ToString(),
        DateTimeOffset.UnixEpoch, null, null, $$"""{"orderId":"{{order}}","shopperId":{{shopper}}}""", false);
}
