using System.Net;
using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Testing;
using static Shop.Orders.Tests.Requests;

namespace Shop.Orders.Tests.SubmittingOrder;

public sealed class ExpectedTotalTests(OrdersFixture fixture)
{
    [Theory]
    [InlineData("19")]
    [InlineData("19.0")]
    [InlineData("19.00")]
    [InlineData("1.9e1")]
    public async Task The_total_that_was_shown_is_ordered_however_it_is_written(string amount)
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();

        var answer = await service.Http.SubmitAsync(shopper, "key", Body(expectedTotal: $$"""{"amount":{{amount}},"currency":"EUR"}"""));

        Assert.Equal(HttpStatusCode.Accepted, answer.Status);
        Assert.Equal(answer, await service.Http.SubmitAsync(shopper, "key", Body(expectedTotal: """{"currency":"EUR","amount":19.000}""")));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await service.Http.SubmitAsync(shopper, "key", Body(expectedTotal: """{"amount":18,"currency":"EUR"}"""))).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await service.Http.SubmitAsync(shopper, "key", Body())).Status);
    }

    [Theory]
    [InlineData("""{"amount":18.99,"currency":"EUR"}""")]
    [InlineData("""{"amount":0,"currency":"EUR"}""")]
    [InlineData("""{"amount":19.00,"currency":"USD"}""")]
    public async Task Another_total_is_409_with_the_new_one_and_writes_nothing(string expectedTotal)
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();

        var answer = await service.Http.SubmitAsync(shopper, "key", Body(expectedTotal: expectedTotal));

        Assert.Equal((HttpStatusCode.Conflict, "application/problem+json"), (answer.Status, answer.MediaType));
        Assert.Equal(["expectedTotal"], answer.Fields);
        Assert.Equal("""{"amount":19.00,"currency":"EUR"}""", answer.Json.GetProperty("total").GetRawText());
        Assert.Equal(0, await service.RowsOfAsync(shopper));
        // the key is not used up
        Assert.Equal(HttpStatusCode.Accepted, (await service.Http.SubmitAsync(shopper, "key")).Status);
    }

    [Fact]
    public async Task A_repetition_is_answered_also_when_the_price_has_changed_since()
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var sku = $"seasonal-{Guid.NewGuid():N}";
        await PriceAsync(service, sku, 5m);
        var body = Body(lines: $$"""[{"sku":"{{sku}}","quantity":2}]""", expectedTotal: """{"amount":10,"currency":"EUR"}""");
        var first = await service.Http.SubmitAsync(shopper, "key", body);
        await PriceAsync(service, sku, 6.25m);

        Assert.Equal(first, await service.Http.SubmitAsync(shopper, "key", body));
        var another = await service.Http.SubmitAsync(shopper, "another-key", body);
        Assert.Equal(HttpStatusCode.Conflict, another.Status);
        Assert.Equal("""{"amount":12.50,"currency":"EUR"}""", another.Json.GetProperty("total").GetRawText());
        // the price was fixed in the order
        Assert.Equal("""{"amount":10.00,"currency":"EUR"}""", (await service.Http.ReadAsync(shopper, first.Id)).Json.GetProperty("total").GetRawText());
    }

    [Theory]
    [InlineData("expectedTotal.amount", """{"amount":-1,"currency":"EUR"}""")]
    [InlineData("expectedTotal.amount", """{"amount":19.001,"currency":"EUR"}""")]
    [InlineData("expectedTotal.amount", """{"amount":1e-20,"currency":"EUR"}""")]
    [InlineData("expectedTotal.amount", """{"amount":1e400,"currency":"EUR"}""")]
    [InlineData("expectedTotal.amount", """{"amount":"19.00","currency":"EUR"}""")]
    [InlineData("expectedTotal.amount", """{"amount":null,"currency":"EUR"}""")]
    [InlineData("expectedTotal.amount", """{"currency":"EUR"}""")]
    [InlineData("expectedTotal.currency", """{"amount":19.00}""")]
    [InlineData("expectedTotal.currency", """{"amount":19.00,"currency":null}""")]
    [InlineData("expectedTotal.currency", """{"amount":19.00,"currency":"eur"}""")]
    [InlineData("expectedTotal.currency", """{"amount":19.00,"currency":"EUR\u0000"}""")]
    [InlineData("expectedTotal.currency", """{"amount":19.00,"currency":"EURO"}""")]
    [InlineData("expectedTotal", "19.00")]
    [InlineData("expectedTotal", "[]")]
    [InlineData("expectedTotal", """{"amount":19.00,"amount":18.00,"currency":"EUR"}""")]
    public async Task A_total_that_is_none_is_400_and_named(string field, string expectedTotal)
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();

        var answer = await service.Http.SubmitAsync(shopper, body: Body(expectedTotal: expectedTotal));

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.StartsWith(field, Assert.Single(answer.Fields), StringComparison.Ordinal);
        Assert.Equal(0, await service.RowsOfAsync(shopper));
    }

    private static async Task PriceAsync(OrdersService service, string sku, decimal price)
    {
        await service.ProduceAsync(new ProductChanged(sku, "Seasonal", "", new(price, "EUR")));
        await Eventually.BecomesAsync(price, () => service.QueryAsync(db => db.Products.Where(product => product.Sku == sku).Select(product => product.Price).SingleOrDefaultAsync()));
    }
}
