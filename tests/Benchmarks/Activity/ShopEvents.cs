using System.Text.Json;
using Confluent.Kafka.Admin;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Benchmarks.Activity;

/// <summary>The events of many fulfilled orders, as their services write them, and of the visitors who placed them.</summary>
internal static class ShopEvents
{
    /// <summary>Events of each order by topic.</summary>
    public const int OfOrders = 4, OfReservations = 2, OfPayments = 2, OfVisitors = 3;

    /// <summary>Events of each order.</summary>
    public const int PerOrder = OfOrders + OfReservations + OfPayments + OfVisitors;

    /// <summary>Orders whose events are mixed with each other's: further apart than a batch, as those of one order are.</summary>
    private const int Stride = 2_000;

    private static readonly Address ShipTo = new("Ada Lovelace", "12 St James's Square", "London", "SW1Y 4JH", "GB");

    /// <summary>Makes all topics, before anybody else does with one partition, and writes the events.</summary>
    public static async Task ProduceAsync(string kafka, int orders, CancellationToken cancellationToken)
    {
        await KafkaTopics.CreateAsync(kafka, [.. Topics.All.Select(topic => new TopicSpecification { Name = topic.Name, NumPartitions = topic.Partitions, ReplicationFactor = 1 })]);
        var ids = Enumerable.Range(0, orders).Select(_ => Guid.CreateVersion7()).ToArray();
        await Task.WhenAll(new[] { Topics.Orders, Topics.Reservations, Topics.Payments, Topics.ShopperActivity }
            .Select(topic => Task.Run(() => BulkProducer.ProduceAsync(kafka, topic.Name, Of(topic, ids), cancellationToken), cancellationToken)));
    }

    private static IEnumerable<(string Key, string Type, byte[] Body)> Of(Topic topic, Guid[] ids)
    {
        for (var first = 0; first < ids.Length; first += Stride)
        {
            var some = ids.AsMemory(first, Math.Min(Stride, ids.Length - first));
            for (var step = 0; step < OfOrders; step++)
            {
                for (var i = 0; i < some.Length; i++)
                {
                    if (EventOf(topic, step, some.Span[i], first + i) is not { } @event)
                        continue;
                    topic.TryGetEvent(@event.GetType(), out var type);
                    yield return (type!.KeyOf(@event), type.Name, JsonSerializer.SerializeToUtf8Bytes(@event, type.Json));
                }
            }
        }
    }

    /// <summary>What happens to an order, one after the other; null where there is no more of it on the topic.</summary>
    private static object? EventOf(Topic topic, int step, Guid order, int number)
    {
        var (sku, other) = ($"sku-{number % 500}", $"sku-{number % 499}");
        var total = new Money(19.01m + (number % 100), "EUR");
        return (topic.Name, step) switch
        {
            ("orders", 0) => new OrderSubmitted(order, $"shopper-{number % 10_000}", [new(sku, 2, new(9.50m, "EUR")), new(other, 1, new(0.01m + (number % 100), "EUR"))], total, ShipTo, DateTimeOffset.UtcNow),
            ("orders", 1) => new PaymentRequested(order, order, $"shopper-{number % 10_000}", total, $"tok_visa_{number:x8}"),
            ("orders", 2) => new OrderConfirmed(order),
            ("orders", 3) => new OrderFulfilled(order),
            ("reservations", 0) => new StockReserved(order, [new(sku, 2), new(other, 1)]),
            ("reservations", 1) => new StockDispatched(order, [new(sku, 2), new(other, 1)]),
            ("payments", 0) => new PaymentAuthorized(order, order, total),
            ("payments", 1) => new PaymentCaptured(order, order, total),
            ("shopper-activity", 0) => new ProductViewed(order, sku),
            ("shopper-activity", 1) => new CartChanged(order, sku, 2),
            ("shopper-activity", 2) => new CheckoutStarted(order),
            _ => null,
        };
    }
}
