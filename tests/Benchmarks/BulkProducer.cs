using System.Text;
using Confluent.Kafka;
using Shop.Messaging.Events;

namespace Shop.Benchmarks;

/// <summary>Puts many events into a topic, as the relay would.</summary>
internal static class BulkProducer
{
    /// <summary>Returns when the broker has all of them.</summary>
    /// <param name="bootstrap">The broker.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="events">Keys, types and bodies, each key's in their order.</param>
    /// <param name="cancellationToken">Gives up waiting for the broker.</param>
    public static async Task ProduceAsync(string bootstrap, string topic, IEnumerable<(string Key, string Type, byte[] Body)> events, CancellationToken cancellationToken)
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig
        {
            BootstrapServers = bootstrap,
            Acks = Acks.All,
            EnableIdempotence = true,
            Partitioner = Partitioner.Murmur2Random,
            LingerMs = 5,
            DeliveryReportFields = "none",
        }).Build();
        var left = new CountdownEvent(1);
        foreach (var (key, type, body) in events)
        {
            var attributes = new CloudEvent(Guid.CreateVersion7(), type, "/shop/bench", DateTimeOffset.UtcNow, key);
            var message = new Message<byte[], byte[]> { Key = Encoding.UTF8.GetBytes(key), Value = body, Headers = attributes.ToHeaders() };
            left.AddCount();
            while (!TryProduce(message))
                producer.Poll(TimeSpan.FromMilliseconds(10));
        }
        left.Signal();
        await Task.Run(() => left.Wait(cancellationToken), cancellationToken);

        bool TryProduce(Message<byte[], byte[]> message)
        {
            try
            {
                producer.Produce(topic, message, _ => left.Signal());
                return true;
            }
            catch (ProduceException<byte[], byte[]> e) when (e.Error.Code == ErrorCode.Local_QueueFull)
            {
                return false;
            }
        }
    }
}
