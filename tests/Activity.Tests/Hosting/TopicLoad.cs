using System.Text.Json;
using Confluent.Kafka;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Activity.Tests.Hosting;

/// <summary>Orders and visitors by the thousand, as services write them: events in the order of their key, and some of them twice.</summary>
public sealed class TopicLoad(string kafka, int seed) : IDisposable
{
    private readonly TopicClient _topics = new(kafka);
    private readonly Random _random = new(seed);

    /// <summary>Writes all events of some orders and visitors.</summary>
    /// <returns>How many records that were.</returns>
    public async Task<int> WriteAsync(int orders)
    {
        var records = new Dictionary<Topic, List<Message<byte[]?, byte[]?>>>();
        for (var i = 0; i < orders; i++)
        {
            var (order, visitor, now) = (Guid.CreateVersion7(), Guid.CreateVersion7(), DateTimeOffset.UtcNow);
            string[] skus = ["mug-blue", "mug-red", "cup"];
            var lines = Enumerable.Range(0, _random.Next(1, 3)).Select(_ => new OrderLine(skus[_random.Next(3)], _random.Next(1, 4), new(_random.Next(100, 5000) / 100m, "EUR"))).ToList();
            Add(Topics.ShopperActivity, new ProductViewed(visitor, skus[_random.Next(3)]), now);
            Add(Topics.ShopperActivity, new CartChanged(visitor, skus[_random.Next(3)], _random.Next(0, 3)), now);
            Add(Topics.Orders, new OrderSubmitted(order, "ada", lines, new(lines.Sum(line => line.Quantity * line.UnitPrice.Amount), _random.Next(4) == 0 ? "USD" : "EUR"), new("A", "B", "C", "D", "DE"), now), now);
            if (_random.Next(10) == 0)
                Add(Topics.Payments, new PaymentHeld(order, order, 0.9, ["velocity"]), now);
            Add(Topics.Orders, _random.Next(10) == 0 ? new OrderCancelled(order, "x") : new OrderConfirmed(order), now.AddSeconds(_random.Next(-200, 0)));
            // too late for its window
            if (_random.Next(50) == 0)
                Add(Topics.Orders, new OrderFulfilled(order), now.AddHours(-3));
        }
        foreach (var (topic, messages) in records)
            await _topics.ProduceAsync(topic, messages);
        return records.Sum(topic => topic.Value.Count);

        void Add(Topic topic, object @event, DateTimeOffset at)
        {
            topic.TryGetEvent(@event.GetType(), out var type);
            var message = TopicClient.Message(type!.KeyOf(@event), JsonSerializer.SerializeToUtf8Bytes(@event, type.Json),
                ("ce_id", Guid.CreateVersion7().ToString()), ("ce_type", type.Name), ("ce_source", "/tests"), ("ce_time", at.ToString("O")));
            if (!records.TryGetValue(topic, out var list))
                records[topic] = list = [];
            for (var copy = _random.Next(8) == 0 ? 2 : 1; copy > 0; copy--)
                list.Add(message);
        }
    }

    public void Dispose() => _topics.Dispose();
}
