using System.Text.Json;
using Shop.Contracts;
using Shop.Inventory.Tests.Hosting;
using Shop.Testing;

namespace Shop.Inventory.Tests;

/// <summary>Orders' events through the real endpoint: broker, two instances, PostgreSQL.</summary>
public sealed class ReservingTests(ShopFixture shops)
{
    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    [Theory, MemberData(nameof(Brokers))]
    public async Task An_order_is_reserved_and_dispatched(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        await shop.Instance.StockUpAsync($"dispatch-{broker}".ToLowerInvariant(), 20);
        using var kafka = new KafkaClient(shop.Kafka);
        var order = Guid.CreateVersion7();

        var submitted = await kafka.PublishAsync(Events.Submitted(order, ($"dispatch-{broker}".ToLowerInvariant(), 12)));
        var reserved = await kafka.NextAsync(Topics.Reservations, order);
        Assert.Equal("shop.reservations.stock-reserved.v1", reserved.Type);
        Assert.Equal(submitted, reserved.CausationId);
        await kafka.PublishAsync(new OrderConfirmed(order));
        Assert.Equal("shop.reservations.stock-dispatched.v1", (await kafka.NextAsync(Topics.Reservations, order)).Type);
        var stock = await shop.Instance.GetJsonAsync($"/api/stock/dispatch-{broker}".ToLowerInvariant());
        Assert.Equal((8, 0, 8, 12), Levels(stock));
    }

    private static (int OnHand, int Reserved, int Available, int Dispatched) Levels(JsonElement stock) =>
        (stock.GetProperty("onHand").GetInt32(), stock.GetProperty("reserved").GetInt32(), stock.GetProperty("available").GetInt32(), stock.GetProperty("dispatched").GetInt32());
}
