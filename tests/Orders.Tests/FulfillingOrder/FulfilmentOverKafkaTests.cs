using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Testing;
using static Shop.Orders.Tests.Requests;

namespace Shop.Orders.Tests.FulfillingOrder;

/// <summary>The whole service over a broker, with the test as Inventory and Payments.</summary>
public sealed class FulfilmentOverKafkaTests(OrdersFixture fixture)
{
    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task An_order_goes_through_and_its_events_are_in_order(Broker broker)
    {
        var service = await fixture.GetAsync(broker);
        var shopper = NewShopper();
        var id = (await service.Http.SubmitAsync(shopper)).Id;

        await service.ProduceAsync(new StockReserved(id, [new("mug-blue", 2)]));
        await service.Http.BecomesAsync("reserved", shopper, id);
        await service.ProduceAsync(new PaymentAuthorized(id, id, new(19, "EUR")));
        await service.Http.BecomesAsync("confirmed", shopper, id);
        await service.ProduceAsync(new PaymentCaptured(id, id, new(19, "EUR")));
        await service.ProduceAsync(new StockDispatched(id, [new("mug-blue", 2)]));
        await service.Http.BecomesAsync("fulfilled", shopper, id);

        Assert.Equal(["shop.orders.order-submitted.v1", "shop.orders.payment-requested.v1", "shop.orders.order-confirmed.v1", "shop.orders.order-fulfilled.v1"],
            service.PublishedUntil("shop.orders.order-fulfilled.v1", id));
        Assert.Equal(0, await service.DeadLettersAsync());
        Assert.Equal(0, await TimeoutsOfAsync(service, id));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Many_orders_whose_events_come_doubled_and_in_batches_all_end(Broker broker)
    {
        var service = await fixture.GetAsync(broker);
        var shopper = NewShopper();
        var ids = (await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => service.Http.SubmitAsync(shopper)))).Select(answer => answer.Id).ToList();

        await Task.WhenAll(ids.Select(id => service.ProduceAsync(new StockReserved(id, []))));
        await Task.WhenAll(ids.Select(id => service.ProduceAsync(new StockReserved(id, []))));
        await Eventually.BecomesAsync(100, () => CountAsync(service, shopper, "Reserved"));
        await Task.WhenAll(ids.Select((id, i) => i % 2 == 0
            ? service.ProduceAsync(new PaymentAuthorized(id, id, new(19, "EUR")))
            : service.ProduceAsync(new PaymentDeclined(id, id, "card_declined"))));
        await Eventually.BecomesAsync(50, () => CountAsync(service, shopper, "Cancelled"));
        await Eventually.BecomesAsync(50, () => CountAsync(service, shopper, "Confirmed"));
        await Task.WhenAll(ids.SelectMany(id => new[]
        {
            service.ProduceAsync(new StockDispatched(id, [])), service.ProduceAsync(new PaymentCaptured(id, id, new(19, "EUR"))),
            service.ProduceAsync(new PaymentCaptured(id, id, new(19, "EUR"))),
        }));
        await Eventually.BecomesAsync(50, () => CountAsync(service, shopper, "Fulfilled"));

        Assert.Equal(50, await CountAsync(service, shopper, "Cancelled"));
        Assert.Equal(0, await service.DeadLettersAsync());
    }

    [Fact]
    public async Task Nobody_answers_and_the_deadline_ends_the_order()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        await using var service = await OrdersFixture.StartWithCatalogAsync(await fixture.CreateDatabaseAsync(), broker.BootstrapServers,
            ("Deadlines:Reservation", "00:00:00.100"));
        var shopper = NewShopper();
        var id = (await service.Http.SubmitAsync(shopper)).Id;

        await service.Http.BecomesAsync("cancelled", shopper, id);

        Assert.Equal("The stock could not be reserved in time", (await service.Http.ReadAsync(shopper, id)).Reason);
        // so short a deadline may pass before the submission has come back, which renews it
        Assert.Equal(["shop.orders.order-submitted.v1", "shop.orders.order-deadline-passed.v1", "shop.orders.order-cancelled.v1"],
            service.PublishedUntil("shop.orders.order-cancelled.v1", id).Distinct());
        Assert.Equal(0, await service.DeadLettersAsync());
    }

    [Fact]
    public async Task The_deadline_ends_an_order_whose_submission_is_lost()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        await using var proxy = TcpProxy.ForKafka(broker.BootstrapServers);
        await using var service = await OrdersFixture.StartWithCatalogAsync(await fixture.CreateDatabaseAsync(), proxy.ConnectionString,
            ("Deadlines:Reservation", "00:00:00.100"));
        var shopper = NewShopper();
        proxy.Cut();
        var id = (await service.Http.SubmitAsync(shopper)).Id;
        Assert.Equal(1, await service.QueryAsync(db => db.Database.ExecuteSqlAsync($"DELETE FROM outbox WHERE key = {id.ToString()} AND event_type = 'shop.orders.order-submitted.v1'")));
        proxy.Resume();

        await service.Http.BecomesAsync("cancelled", shopper, id);

        Assert.Equal("The stock could not be reserved in time", (await service.Http.ReadAsync(shopper, id)).Reason);
        Assert.Equal(0, await TimeoutsOfAsync(service, id));
    }

    private static Task<int> CountAsync(OrdersService service, string shopper, string state) =>
        service.QueryAsync(db => db.Orders.CountAsync(order => order.ShopperId == shopper && order.CurrentState == state));

    private static Task<int> TimeoutsOfAsync(OrdersService service, Guid id) => service.QueryAsync(db =>
        db.Database.SqlQuery<int>($"""SELECT count(*)::int AS "Value" FROM timeouts WHERE key = {id.ToString()}""").SingleAsync());
}
