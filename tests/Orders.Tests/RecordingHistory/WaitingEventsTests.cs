using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shop.Contracts;
using Shop.Orders.RecordingHistory;
using Shop.Testing;
using static Shop.Orders.Tests.Requests;

namespace Shop.Orders.Tests.RecordingHistory;

public sealed class WaitingEventsTests(OrdersFixture fixture)
{
    [Fact]
    public async Task An_event_whose_cause_never_comes_is_placed_in_the_end_and_what_waited_for_it_too()
    {
        // its own: what waits for a moment only, in other tests, must not be placed
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        await using var service = await OrdersFixture.StartWithCatalogAsync(await fixture.CreateDatabaseAsync(), broker.BootstrapServers);
        var id = (await service.Http.SubmitAsync(NewShopper())).Id;
        // its submission comes over another topic, and might still be on its way when the others are placed
        await Eventually.BecomesAsync(1, () => service.QueryAsync(db => db.OrderEvents.CountAsync(e => e.OrderId == id)));
        var stranger = await service.ProduceAsync(new PaymentHeld(id, id, 0.9, []), cause: Guid.CreateVersion7());
        var effect = await service.ProduceAsync(new StockDispatched(id, []), cause: stranger);
        await Eventually.BecomesAsync(2, () => service.QueryAsync(db =>
            db.Database.SqlQuery<int>($"""SELECT count(*)::int AS "Value" FROM order_events_waiting WHERE order_id = {id}""").SingleAsync()));

        await WaitingEvents.PlaceOverdueAsync(service.Services.GetRequiredService<NpgsqlDataSource>(), DateTimeOffset.UtcNow.AddMinutes(1), TestContext.Current.CancellationToken);

        var history = await service.QueryAsync(db => db.HistoryOfAsync(id, TestContext.Current.CancellationToken));
        Assert.Equal([1, 2, 3], history.Select(e => e.Sequence));
        Assert.Equal([stranger, effect], history.Skip(1).Select(e => e.EventId));
    }

    [Fact]
    public async Task What_is_no_event_of_an_order_is_passed_over_and_what_is_broken_becomes_a_dead_letter()
    {
        // its own: the tests of the others expect no dead letters
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        await using var service = await OrdersFixture.StartWithCatalogAsync(await fixture.CreateDatabaseAsync(), broker.BootstrapServers);
        var shopper = NewShopper();
        var (good, broken) = ((await service.Http.SubmitAsync(shopper)).Id, (await service.Http.SubmitAsync(shopper)).Id);

        await service.ProduceAsync(Topics.Reservations, "no-order", "shop.reservations.stock-reserved.v1", "{}"u8.ToArray());
        await service.ProduceAsync(Topics.Reservations, good.ToString(), "another.teams.event.v7", "not even json"u8.ToArray());
        await service.ProduceAsync(Topics.Payments, good.ToString(), "shop.payments.payment-held.v1", null);
        await service.ProduceAsync(Topics.Payments, broken.ToString(), "shop.payments.payment-voided.v1", "{"u8.ToArray());
        await service.ProduceAsync(new StockRejected(good, []));

        await Eventually.BecomesAsync(3, async () => (await service.QueryAsync(db => db.HistoryOfAsync(good, TestContext.Current.CancellationToken))).Count);
        await Eventually.BecomesAsync(1, () => service.QueryAsync(db => db.Database.SqlQuery<int>(
            $"""SELECT count(*)::int AS "Value" FROM dead_letters WHERE endpoint = 'orders.history' AND key = {broken.ToString()}""").SingleAsync()));
    }
}
