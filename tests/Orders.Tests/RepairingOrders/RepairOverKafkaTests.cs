using System.Net;
using System.Text;
using Shop.Contracts;
using Shop.Testing;
using static Shop.Orders.Tests.Requests;

namespace Shop.Orders.Tests.RepairingOrders;

/// <summary>A lost answer heals: the order says again what it said, and is answered again.</summary>
public sealed class RepairOverKafkaTests(OrdersFixture fixture)
{
    private const string Submitted = "shop.orders.order-submitted.v1", Requested = "shop.orders.payment-requested.v1",
        Confirmed = "shop.orders.order-confirmed.v1", Cancelled = "shop.orders.order-cancelled.v1", Fulfilled = "shop.orders.order-fulfilled.v1";

    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Long]
    [Theory, MemberData(nameof(Both))]
    public async Task An_order_says_again_what_it_has_said_and_goes_on_with_the_answers(Broker broker)
    {
        var service = await fixture.GetAsync(broker);
        var shopper = NewShopper();
        var id = (await service.Http.SubmitAsync(shopper)).Id;
        Assert.Equal([Submitted], await RepairAsync(service, id, "submitted"));
        await service.ProduceAsync(new StockReserved(id, []));
        await service.Http.BecomesAsync("reserved", shopper, id);
        Assert.Equal([Submitted, Requested], await RepairAsync(service, id, "reserved"));
        await service.ProduceAsync(new PaymentAuthorized(id, id, new(19, "EUR")));
        await service.Http.BecomesAsync("confirmed", shopper, id);
        // its payment is decided: it is not asked for again
        Assert.Equal([Submitted, Confirmed], await RepairAsync(service, id, "confirmed"));
        // what Inventory and Payments answer to a repair: everything they hold, in their order
        await service.ProduceAsync(new StockReserved(id, []));
        await service.ProduceAsync(new PaymentAuthorized(id, id, new(19, "EUR")));
        await service.ProduceAsync(new StockDispatched(id, []));
        await service.ProduceAsync(new PaymentCaptured(id, id, new(19, "EUR")));
        await service.Http.BecomesAsync("fulfilled", shopper, id);

        Assert.Equal([Submitted, Submitted, Requested, Submitted, Requested, Confirmed, Submitted, Confirmed, Fulfilled],
            service.PublishedUntil(Fulfilled, id));
        var refused = await service.Http.RepairAsync(id);
        Assert.Equal((HttpStatusCode.Conflict, "application/problem+json"), (refused.Status, refused.MediaType));
        Assert.Equal("The order is fulfilled: nobody owes it an answer.", refused.Json.GetProperty("detail").GetString());
        Assert.Equal(0, await service.DeadLettersAsync());
    }

    [Fact]
    public async Task A_cancelled_order_says_again_that_it_is_cancelled_and_nothing_else()
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var id = (await service.Http.SubmitAsync(shopper)).Id;
        await service.Http.CancelAsync(shopper, id);
        await service.Http.BecomesAsync("cancelled", shopper, id);

        Assert.Equal([Cancelled], await RepairAsync(service, id, "cancelled"));

        // one after the other: what is read up to the second is all there is
        Assert.Equal([Submitted, "shop.orders.cancellation-requested.v1", Cancelled, Cancelled], service.PublishedUntil(Cancelled, id, times: 2));
    }

    [Theory]
    [InlineData("GET", "/api/ops/orders/stuck?limit=0", HttpStatusCode.BadRequest, "limit")]
    [InlineData("GET", "/api/ops/orders/stuck?limit=201", HttpStatusCode.BadRequest, "limit")]
    [InlineData("GET", "/api/ops/orders/stuck?limit=99999999999", HttpStatusCode.BadRequest, "limit")]
    [InlineData("GET", "/api/ops/orders/stuck?limit=1;DROP TABLE orders", HttpStatusCode.BadRequest, "limit")]
    [InlineData("GET", "/api/ops/orders/stuck?after=' OR 1=1 --", HttpStatusCode.BadRequest, "after")]
    [InlineData("GET", "/api/ops/orders/stuck?after=%00", HttpStatusCode.BadRequest, "after")]
    [InlineData("POST", "/api/ops/orders/01a2055e-20d9-76ac-b2d2-47ee76b48253/repair", HttpStatusCode.NotFound, null)]
    [InlineData("POST", "/api/ops/orders/00000000-0000-0000-0000-000000000000/repair", HttpStatusCode.NotFound, null)]
    [InlineData("POST", "/api/ops/orders/' OR 1=1 --/repair", HttpStatusCode.NotFound, null)]
    [InlineData("GET", "/api/ops/orders/01a2055e-20d9-76ac-b2d2-47ee76b48253/repair", HttpStatusCode.MethodNotAllowed, null)]
    [InlineData("POST", "/api/ops/orders/stuck", HttpStatusCode.MethodNotAllowed, null)]
    public async Task What_cannot_be_asked_is_4xx_and_names_the_field(string method, string path, HttpStatusCode status, string? field)
    {
        var service = await fixture.GetAsync();

        var answer = await service.Http.AskAsync(HttpMethod.Parse(method), path);

        Assert.Equal((status, "application/problem+json"), (answer.Status, answer.MediaType));
        Assert.Equal(field is null ? [] : [field], answer.Fields);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"state\":\"Fulfilled\"}")]
    [InlineData("{{{{")]
    [InlineData("\0")]
    public async Task A_repair_needs_no_body_and_reads_none(string body)
    {
        var service = await fixture.GetAsync();
        var id = (await service.Http.SubmitAsync(NewShopper())).Id;

        var answer = await service.Http.AskAsync(HttpMethod.Post, $"/api/ops/orders/{id}/repair", new StringContent(body, Encoding.UTF8, "application/json"));

        Assert.Equal(HttpStatusCode.Accepted, answer.Status);
    }

    [Theory]
    [InlineData("GET", "/api/ops/orders/stuck")]
    [InlineData("POST", "/api/ops/orders/01a2055e-20d9-76ac-b2d2-47ee76b48253/repair")]
    public async Task It_is_for_operators_alone(string method, string path)
    {
        var service = await fixture.GetAsync();

        Assert.Equal(HttpStatusCode.Forbidden, (await service.Http.AskAsync(HttpMethod.Parse(method), path, token: TestTokens.Shopper("ada"))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await service.Http.SendAsync(null, HttpMethod.Parse(method), path)).Status);
    }

    private static async Task<string[]> RepairAsync(OrdersService service, Guid id, string status)
    {
        var answer = await service.Http.RepairAsync(id);
        Assert.Equal((HttpStatusCode.Accepted, $"/api/orders/{id}/timeline"), (answer.Status, answer.Location));
        Assert.Equal((id, status), (answer.Id, answer.OrderStatus));
        return [.. answer.Json.GetProperty("published").EnumerateArray().Select(type => type.GetString()!)];
    }
}
