using System.Net;
using Shop.Contracts;
using static Shop.Orders.Tests.Requests;

namespace Shop.Orders.Tests.CancellingOrder;

public sealed class CancelOrderTests(OrdersFixture fixture)
{
    [Fact]
    public async Task A_submitted_order_is_cancelled_and_then_cannot_be_again()
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var id = (await service.Http.SubmitAsync(shopper)).Id;

        var answer = await service.Http.CancelAsync(shopper, id);

        Assert.Equal((HttpStatusCode.Accepted, $"/api/orders/{id}"), (answer.Status, answer.Location));
        await service.Http.BecomesAsync("cancelled", shopper, id);
        Assert.Equal("Cancelled by the shopper", (await service.Http.ReadAsync(shopper, id)).Reason);
        Assert.Equal(["shop.orders.order-submitted.v1", "shop.orders.cancellation-requested.v1", "shop.orders.order-cancelled.v1"],
            service.PublishedUntil("shop.orders.order-cancelled.v1", id));
        Assert.Equal(HttpStatusCode.Conflict, (await service.Http.CancelAsync(shopper, id)).Status);
    }

    [Fact]
    public async Task A_confirmed_order_is_409()
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var id = (await service.Http.SubmitAsync(shopper)).Id;
        await service.ProduceAsync(new StockReserved(id, []));
        await service.Http.BecomesAsync("reserved", shopper, id);
        await service.ProduceAsync(new PaymentAuthorized(id, id, new(19, "EUR")));
        await service.Http.BecomesAsync("confirmed", shopper, id);

        var answer = await service.Http.CancelAsync(shopper, id);

        Assert.Equal((HttpStatusCode.Conflict, "application/problem+json"), (answer.Status, answer.MediaType));
        Assert.Equal("The order is confirmed: it can no longer be cancelled.", answer.Json.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Anothers_order_is_404_and_stays()
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var id = (await service.Http.SubmitAsync(shopper)).Id;

        Assert.Equal(HttpStatusCode.NotFound, (await service.Http.CancelAsync(NewShopper(), id)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await service.Http.CancelAsync(shopper, Guid.NewGuid())).Status);

        // a cancellation would have to pass before this one
        await service.ProduceAsync(new StockRejected(id, [new("mug-blue", 2, 1)]));
        await service.Http.BecomesAsync("cancelled", shopper, id);
        Assert.StartsWith("Not enough in stock", (await service.Http.ReadAsync(shopper, id)).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{\"requestedBy\":\"mallory\",\"orderId\":\"00000000-0000-0000-0000-000000000000\"}")]
    [InlineData("{{{{'; DROP TABLE orders; --")]
    [InlineData("\0")]
    public async Task A_cancellation_needs_no_body_and_reads_none(string body)
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var id = (await service.Http.SubmitAsync(shopper)).Id;

        var answer = await service.Http.SendAsync(shopper, HttpMethod.Post, $"/api/orders/{id}/cancel", "any key", new StringContent(body));

        Assert.Equal((HttpStatusCode.Accepted, id), (answer.Status, answer.Id));
        await service.Http.BecomesAsync("cancelled", shopper, id);
        Assert.Equal("Cancelled by the shopper", (await service.Http.ReadAsync(shopper, id)).Reason);
    }

    [Theory]
    [InlineData("/api/orders/' OR '1'='1/cancel")]
    [InlineData("/api/orders/0/cancel")]
    [InlineData("/api/orders/01a2055e-20d9-76ac-b2d2-47ee76b48253%20/cancel")]
    [InlineData("/api/orders/{id}/cancel;x=1")]
    public async Task What_is_no_order_cannot_be_cancelled(string path) =>
        Assert.Equal(HttpStatusCode.NotFound, (await (await fixture.GetAsync()).Http.SendAsync(NewShopper(), HttpMethod.Post, path)).Status);
}
