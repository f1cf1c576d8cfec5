using System.Text;
using System.Text.Json;

namespace Shop.Contracts.Tests;

public sealed class EventPrivacyTests
{
    private static readonly Money Price = new(9.90m, "EUR");

    [Theory]
    [InlineData("""{"paymentToken":"tok_visa"}""", "{}")]
    [InlineData("""{"paymentToken":"tok_visa","a":1}""", """{"a":1}""")]
    [InlineData("""{"a":"x","paymentToken":{"b":[1,2]},"c":[{"d":1.50}]}""", """{"a":"x","c":[{"d":1.50}]}""")]
    [InlineData("""{ "a" : "\ud800" , "paymentToken" : "tok" }""", """{"a" : "\ud800"}""")]
    [InlineData("""{"a":1,"a":2,"paymentToken":1,"paymentToken":2}""", """{"a":1,"a":2}""")]
    [InlineData("""{"deep":{"paymentToken":1}}""", """{"deep":{"paymentToken":1}}""")]
    [InlineData("""["paymentToken"]""", """["paymentToken"]""")]
    [InlineData("""{"paymentToken":""", """{"paymentToken":""")]
    [InlineData(""" { "no" : "secret" } """, """ { "no" : "secret" } """)]
    [InlineData("", "")]
    public void A_secret_is_not_kept_and_the_rest_is_to_the_letter(string data, string kept) =>
        Assert.Equal(kept, Encoding.UTF8.GetString(EventPrivacy.ToKeep(Encoding.UTF8.GetBytes(data))));

    [Fact]
    public void The_events_own_token_is_not_kept()
    {
        var data = JsonSerializer.SerializeToUtf8Bytes(new PaymentRequested(Guid.CreateVersion7(), Guid.CreateVersion7(), "ada", Price, "tok_visa_4f9a"), ContractsJson.Default.PaymentRequested);
        Assert.Contains("tok_visa_4f9a", Encoding.UTF8.GetString(data), StringComparison.Ordinal);
        Assert.DoesNotContain("tok_visa_4f9a", Encoding.UTF8.GetString(EventPrivacy.ToKeep(data)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_shopper_hears_that_a_payment_is_held_but_not_why()
    {
        var order = Guid.CreateVersion7();
        var payment = Guid.CreateVersion7();
        var data = JsonSerializer.Serialize(new PaymentHeld(order, payment, 0.93, ["velocity"]), ContractsJson.Default.PaymentHeld);
        Assert.Equal($$"""{"orderId":"{{order}}","paymentId":"{{payment}}"}""", EventPrivacy.ToShopper("shop.payments.payment-held.v1", data));
        Assert.Equal(data, EventPrivacy.ToShopper("shop.payments.payment-declined.v1", data));
    }
}
