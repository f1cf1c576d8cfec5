using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Shop.Contracts;
using Shop.Orders.RepairingOrders;
using Shop.Testing;
using static Shop.Orders.Tests.Requests;

namespace Shop.Orders.Tests.RepairingOrders;

/// <summary>A stuck order cannot hide, whatever it is stuck in.</summary>
public sealed class StuckOrdersTests(OrdersFixture fixture)
{
    [Fact]
    public async Task A_confirmed_order_that_misses_its_capture_is_listed_and_counted_until_it_is_fulfilled()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        await using var service = await OrdersFixture.StartWithCatalogAsync(await fixture.CreateDatabaseAsync(), broker.BootstrapServers,
            ("Deadlines:Fulfilment", "00:00:10"));
        var shopper = NewShopper();
        var id = (await service.Http.SubmitAsync(shopper)).Id;
        await service.ProduceAsync(new StockReserved(id, []));
        await service.Http.BecomesAsync("reserved", shopper, id);
        await service.ProduceAsync(new PaymentAuthorized(id, id, new(19, "EUR")));
        // the two are on different topics, and what is sent before the order is confirmed is ignored
        await service.Http.BecomesAsync("confirmed", shopper, id);
        await service.ProduceAsync(new StockDispatched(id, []));
        await Eventually.BecomesAsync("Overdue: sent, but the payment was not taken in time", async () => (await service.Http.ReadAsync(shopper, id)).Reason);

        // its deadline must have been over for some seconds: it could still be on its way
        await Eventually.BecomesTrueAsync(async () => (await service.Http.StuckAsync()).ContainsKey(id));
        var stuck = (await service.Http.StuckAsync())[id];
        Assert.Equal(("confirmed", shopper), (stuck.GetProperty("status").GetString(), stuck.GetProperty("shopperId").GetString()));
        Assert.Equal(["capture"], stuck.GetProperty("waitingFor").EnumerateArray().Select(what => what.GetString()));
        Assert.Equal(System.Text.Json.JsonValueKind.Null, stuck.GetProperty("deadLetterId").ValueKind);
        await MetricBecomesAsync(1, service);
        Assert.Equal(HttpStatusCode.Conflict, (await service.Http.CancelAsync(shopper, id)).Status);

        await service.ProduceAsync(new PaymentCaptured(id, id, new(19, "EUR")));
        await service.Http.BecomesAsync("fulfilled", shopper, id);

        Assert.Empty(await service.Http.StuckAsync());
        await MetricBecomesAsync(0, service);
    }

    [Fact]
    public async Task Orders_that_lost_their_deadline_or_are_parked_are_listed_page_by_page_and_others_are_not()
    {
        // with a dead letter, a service is no longer one for other tests
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        await using var service = await OrdersFixture.StartWithCatalogAsync(await fixture.CreateDatabaseAsync(), broker.BootstrapServers);
        var shopper = NewShopper();
        var ids = new List<Guid>();
        foreach (var state in SampleOrders.States)
            ids.Add((await service.Http.SubmitAsync(shopper)).Id);
        var young = (await service.Http.SubmitAsync(shopper)).Id;
        // their submissions have come back to them: nothing else happens to these orders
        await Eventually.BecomesAsync(ids.Count + 1, () => service.QueryAsync(db => db.Orders.CountAsync(order => order.ShopperId == shopper && order.Version > 0)));
        var past = DateTimeOffset.UtcNow.AddDays(-1);
        for (var i = 0; i < ids.Count; i++)
        {
            var (id, state, deadline) = (ids[i], SampleOrders.States[i], i == 0 ? (DateTimeOffset?)null : past);
            await service.QueryAsync(db => db.Database.ExecuteSqlAsync(
                $"UPDATE orders SET current_state = {state}, deadline_at = {deadline}, submitted_at = {past} WHERE correlation_id = {id}"));
        }
        // an event that cannot be read parks its order
        await service.ProduceAsync(Topics.Reservations, ids[1].ToString(), "shop.reservations.stock-reserved.v1", "not json"u8.ToArray());
        await Eventually.BecomesTrueAsync(async () => (await service.Http.StuckAsync())[ids[1]].GetProperty("deadLetterId").ValueKind != System.Text.Json.JsonValueKind.Null);

        var stuck = await service.Http.StuckAsync(limit: 1);

        Assert.Equal([("submitted", "reservation"), ("reserved", "payment"), ("inReview", "review"), ("confirmed", "dispatch,capture")],
            ids.Where(stuck.ContainsKey).Select(id => (stuck[id].GetProperty("status").GetString()!,
                string.Join(',', stuck[id].GetProperty("waitingFor").EnumerateArray().Select(what => what.GetString())))));
        Assert.DoesNotContain(young, stuck.Keys);
        Assert.Equal(stuck.Keys.Order(), stuck.Keys);
    }

    private static async Task MetricBecomesAsync(long expected, OrdersService service)
    {
        var monitor = service.Services.GetRequiredService<StuckOrdersMonitor>();
        await Eventually.BecomesAsync(expected, async () =>
        {
            await monitor.RunOnceAsync(TestContext.Current.CancellationToken);
            return Metric("Confirmed");
        });
    }

    private static long Metric(string state)
    {
        var value = -1L;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Name == "shop.orders.stuck")
                    self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, measurement, tags, _) =>
        {
            if (tags.ToArray().Contains(new("shop.order.state", state)))
                value = measurement;
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return value;
    }
}
