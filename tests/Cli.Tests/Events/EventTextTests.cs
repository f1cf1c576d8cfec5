using System.Text;
using System.Text.Json;
using Shop.Cli.Events;
using Spectre.Console;

namespace Shop.Cli.Tests.Events;

/// <summary>How an event reads.</summary>
public sealed class EventTextTests
{
    private const string Order = "019aa1b2-0000-7000-8000-0000d41c88b2";

    [Theory]
    [InlineData("""{"orderId":"KEY","shopperId":"ada","lines":[{"sku":"mug-blue","quantity":2,"unitPrice":{"amount":9.50,"currency":"EUR"}}],"shipTo":{"city":"London","country":"GB"},"total":{"amount":19.00,"currency":"EUR"}}""",
        "shopperId=ada lines=2×mug-blue total=19.00 EUR shipTo={city=London, country=GB}")]
    [InlineData("""{"orderId":"KEY","paymentId":"019aa1b2-0000-7000-8000-0000aaaabbbb","score":0.97,"reasons":["velocity","country"]}""", "paymentId=…aaaabbbb score=0.97 reasons=velocity,country")]
    [InlineData("""{"shortages":[{"sku":"cup","requested":3,"available":0}]}""", "shortages={sku=cup, requested=3, available=0}")]
    [InlineData("""{"list":[1,2,3,4,5,6],"none":[],"yes":true,"nothing":null}""", "list=1,2,3,4,+2 none=[] yes=true nothing=null")]
    [InlineData("\"text\"", "text")]
    public void Its_data_is_told_in_a_few_words(string data, string expected) =>
        Assert.Equal(expected, DataSummary.Of(JsonElement.Parse(data.Replace("KEY", Order)), Order));

    [Theory]
    [InlineData("shop.orders.order-submitted.v1", "OrderSubmitted")]
    [InlineData("shop.shopper-activity.product-viewed.v12", "ProductViewed.v12")]
    [InlineData("com.example.something", "com.example.something")]
    [InlineData("shop.orders..v1", "shop.orders..v1")]
    public void Its_name_is_that_of_the_code(string type, string expected) => Assert.Equal(expected, EventName.Of(type));

    [Fact]
    public void It_is_a_line_in_columns() =>
        Assert.Equal($"12:00:00.250  orders/2@15      OrderSubmitted          …d41c88b2     total=19.00 EUR\n", Written(ansi: false, width: null));

    [Theory]
    [InlineData("catalog", "(deleted)")]
    [InlineData("orders", "(no body)")]
    public void Without_a_body_it_says_what_that_means_on_its_topic(string topic, string expected) =>
        Assert.EndsWith($" {expected}\n", Written(ansi: false, width: null, topic, body: null), StringComparison.Ordinal);

    [Fact]
    public void A_terminal_has_colours_and_an_end()
    {
        var line = Written(ansi: true, width: 72);

        Assert.Contains("\e[38;5;14mOrderSubmitted", line);
        Assert.Equal("12:00:00.250  orders/2@15      OrderSubmitted          …d41c88b2     to…", AnsiCodes().Replace(line, "").TrimEnd('\n'));
    }

    private static System.Text.RegularExpressions.Regex AnsiCodes() => new("\e\\[[0-9;]*m");

    private static string Written(bool ansi, int? width, string topic = "orders", string? body = """{"total":{"amount":19.00,"currency":"EUR"}}""")
    {
        using var output = new StringWriter();
        var text = new EventText(output, new AnsiCapabilities { Ansi = ansi, ColorSystem = ansi ? ColorSystem.EightBit : ColorSystem.NoColors }, width, "orders".Length, new NoonInUtc());
        text.Write(EventRecord.From(new()
        {
            Topic = topic,
            Partition = 2,
            Offset = 15,
            Message = new()
            {
                Key = Encoding.UTF8.GetBytes(Order),
                Value = body is null ? null : Encoding.UTF8.GetBytes(body),
                Headers = EventsTopic.Headers(("ce_id", "i"), ("ce_type", "shop.orders.order-submitted.v1"), ("ce_source", "/shop/orders"), ("ce_time", "2026-11-22T12:00:00.25Z")),
            },
        }));
        return output.ToString();
    }

    private sealed class NoonInUtc : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    }
}
