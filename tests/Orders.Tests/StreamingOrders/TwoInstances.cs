using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Orders.Tests.StreamingOrders;

/// <summary>Two instances of Orders on one database and one broker; the test plays Inventory and Payments.</summary>
public sealed class TwoInstances(OrdersFixture fixture) : IAsyncLifetime
{
    private RunningBroker? _broker;
    private string _database = "";

    public OrdersService One { get; private set; } = null!;

    public OrdersService Two { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        (string, string)[] settings = [("Streams:Heartbeat", "00:00:00.200"), ("Streams:PerShopper", "3"), ("Streams:PerInstance", "5000")];
        _broker = await RunningBroker.StartAsync(Broker.Embedded);
        _database = await fixture.CreateDatabaseAsync();
        One = await OrdersFixture.StartWithCatalogAsync(_database, _broker.BootstrapServers, settings);
        Two = new OrdersService(_database, _broker.BootstrapServers, settings);
        await Two.IsReadyAsync();
    }

    /// <summary>One more instance, with settings of its own.</summary>
    public async Task<OrdersService> StartAnotherAsync(params (string Name, string Value)[] settings)
    {
        var service = new OrdersService(_database, _broker!.BootstrapServers, settings);
        await service.IsReadyAsync();
        return service;
    }

    /// <summary>Takes an order from its submission to its fulfilment; what Inventory and Payments do is caused by what asked them to.</summary>
    public async Task FulfilAsync(Guid id)
    {
        await One.ProduceAsync(new StockReserved(id, [new("mug-blue", 2)]), await RecordedAsync(id, "order-submitted"));
        await One.ProduceAsync(new PaymentAuthorized(id, id, new(19, "EUR")), await RecordedAsync(id, "payment-requested"));
        var confirmed = await RecordedAsync(id, "order-confirmed");
        await One.ProduceAsync(new StockDispatched(id, [new("mug-blue", 2)]), confirmed);
        await One.ProduceAsync(new PaymentCaptured(id, id, new(19, "EUR")), confirmed);
    }

    /// <summary>Waits until an event of this type is in the order's history.</summary>
    /// <returns>The event's id.</returns>
    public async Task<Guid> RecordedAsync(Guid id, string type)
    {
        var found = Guid.Empty;
        await Eventually.BecomesTrueAsync(async () =>
            (found = await One.QueryAsync(db => db.OrderEvents.Where(e => e.OrderId == id && e.Type.Contains(type)).Select(e => e.EventId).FirstOrDefaultAsync())) != Guid.Empty);
        return found;
    }

    public async ValueTask DisposeAsync()
    {
        await Two.DisposeAsync();
        await One.DisposeAsync();
        await _broker!.DisposeAsync();
    }
}
