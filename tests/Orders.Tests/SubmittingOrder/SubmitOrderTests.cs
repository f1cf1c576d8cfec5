using System.Net;
using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Testing;
using static Shop.Orders.Tests.Requests;

namespace Shop.Orders.Tests.SubmittingOrder;

public sealed class SubmitOrderTests(OrdersFixture fixture)
{
    [Fact]
    public async Task The_answer_is_202_with_the_location_and_the_priced_order()
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();

        var answer = await service.Http.SubmitAsync(shopper, body: Body(lines: """[{"sku":"pen","quantity":3},{"sku":"mug-blue","quantity":2}]"""));

        Assert.Equal(HttpStatusCode.Accepted, answer.Status);
        Assert.Equal($"/api/orders/{answer.Id}", answer.Location);
        Assert.Equal("submitted", answer.OrderStatus);
        Assert.Null(answer.Reason);
        Assert.Contains("""
            "lines":[{"sku":"pen","quantity":3,"unitPrice":{"amount":0.01,"currency":"EUR"}},{"sku":"mug-blue","quantity":2,"unitPrice":{"amount":9.50,"currency":"EUR"}}],"total":{"amount":19.03,"currency":"EUR"}
            """.Trim(), answer.Text, StringComparison.Ordinal);
        Assert.Equal(7, answer.Id.Version);
        Assert.Equal("Berlin", answer.Json.GetProperty("shipTo").GetProperty("city").GetString());
        Assert.InRange(answer.Json.GetProperty("submittedAt").GetDateTimeOffset(), DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddMinutes(1));
    }

    [Fact]
    public async Task The_same_key_and_meaning_is_the_same_order_and_answer_however_far_it_has_come()
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var first = await service.Http.SubmitAsync(shopper, "key");
        await service.ProduceAsync(new StockRejected(first.Id, [new("mug-blue", 2, 0)]));
        await service.Http.BecomesAsync("cancelled", shopper, first.Id);

        var again = await service.Http.SubmitAsync(shopper, "key",
            $$"""{ "shipTo": {{ShipTo}}, "unknown": 1, "payment": {"token": "tok_visa"}, "lines": {{Lines}} }""");

        Assert.Equal(first, again);
        Assert.Equal(2, await service.RowsOfAsync(shopper));
    }

    [Fact]
    public async Task A_repetition_is_answered_also_when_the_product_is_no_longer_sold()
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var sku = $"short-lived-{Guid.NewGuid():N}";
        await service.ProduceAsync(new ProductChanged(sku, "Short", "", new(1, "EUR")));
        await Eventually.BecomesAsync(1, () => service.QueryAsync(db => db.Products.CountAsync(product => product.Sku == sku)));
        var body = Body(lines: $$"""[{"sku":"{{sku}}","quantity":1}]""");
        var first = await service.Http.SubmitAsync(shopper, "key", body);
        await service.ProduceAsync(Topics.Catalog, sku, "shop.catalog.product-changed.v1", null);
        await Eventually.BecomesAsync(0, () => service.QueryAsync(db => db.Products.CountAsync(product => product.Sku == sku)));

        Assert.Equal(first, await service.Http.SubmitAsync(shopper, "key", body));
        Assert.Equal(["lines[0].sku"], (await service.Http.SubmitAsync(shopper, "another-key", body)).Fields);
    }

    [Fact]
    public async Task The_same_key_with_another_body_is_refused_and_the_order_stays()
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var first = await service.Http.SubmitAsync(shopper, "key");

        foreach (var other in new[] { Body(lines: """[{"sku":"mug-blue","quantity":3}]"""), Body(token: "\"tok_other\""), Body(shipTo: ShipTo.Replace("Ada", "Eve")) })
        {
            var answer = await service.Http.SubmitAsync(shopper, "key", other);
            Assert.Equal((HttpStatusCode.UnprocessableEntity, "application/problem+json"), (answer.Status, answer.MediaType));
            Assert.Equal(["Idempotency-Key"], answer.Fields);
        }
        Assert.Equal(2, await service.RowsOfAsync(shopper));
        Assert.Equal(first, await service.Http.SubmitAsync(shopper, "key"));
    }

    [Fact]
    public async Task A_key_belongs_to_its_shopper()
    {
        var service = await fixture.GetAsync();

        var ada = await service.Http.SubmitAsync(NewShopper(), "key");
        var bob = await service.Http.SubmitAsync(NewShopper(), "key");

        Assert.Equal((HttpStatusCode.Accepted, HttpStatusCode.Accepted), (ada.Status, bob.Status));
        Assert.NotEqual(ada.Id, bob.Id);
    }

    [Fact]
    public async Task Fifty_submissions_at_once_on_two_instances_with_one_key_are_one_order()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        var database = await fixture.CreateDatabaseAsync();
        await using var one = await OrdersFixture.StartWithCatalogAsync(database, broker.BootstrapServers);
        await using var two = new OrdersService(database, broker.BootstrapServers);
        var shopper = NewShopper();

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => (i % 2 == 0 ? one : two).Http.SubmitAsync(shopper, "key")));

        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
        Assert.Equal(HttpStatusCode.Accepted, answers[0].Status);
        Assert.Equal(2, await one.RowsOfAsync(shopper));
        Assert.Equal(["shop.orders.order-submitted.v1"], one.PublishedUntil("shop.orders.order-submitted.v1", answers[0].Id));
    }

    [Fact]
    public async Task Of_two_different_orders_that_race_with_one_key_one_wins()
    {
        var service = await fixture.GetAsync();
        for (var round = 0; round < 10; round++)
        {
            var shopper = NewShopper();

            var answers = await Task.WhenAll(Enumerable.Range(1, 10).Select(quantity =>
                service.Http.SubmitAsync(shopper, "key", Body(lines: $$"""[{"sku":"mug-blue","quantity":{{quantity}}}]"""))));

            Assert.Single(answers, answer => answer.Status == HttpStatusCode.Accepted);
            Assert.Equal(9, answers.Count(answer => answer.Status == HttpStatusCode.UnprocessableEntity));
            Assert.Equal(2, await service.RowsOfAsync(shopper));
        }
    }
}
