using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Shop.Contracts;
using Shop.Messaging.Events;
using Shop.Testing;

namespace Shop.Benchmarks.Payments;

/// <summary>What Orders would ask of Payments: payments of many shoppers, each with a device and an address of their own, sealed as Orders does it.</summary>
internal sealed class PaymentLoad : IDisposable
{
    private static readonly PaymentTokenSealer Sealer = new(TestPaymentKeys.Public);

    private readonly IProducer<byte[], byte[]> _producer;
    private readonly int _shoppers;
    private readonly Random _random = new(13);
    private readonly string _type = Topics.Orders.Events.Single(e => e.ClrType == typeof(PaymentRequested)).Name;
    private int _next;

    /// <param name="kafka">The broker.</param>
    /// <param name="shoppers">How many people there are, who pay in turn.</param>
    public PaymentLoad(string kafka, int shoppers)
    {
        _shoppers = shoppers;
        _producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig
        {
            BootstrapServers = kafka,
            EnableIdempotence = true,
            Partitioner = Confluent.Kafka.Partitioner.Murmur2Random,
            // as the relay has it: a record goes at once
            LingerMs = 0,
            DeliveryReportFields = "none",
            QueueBufferingMaxMessages = 1_000_000,
        }).Build();
    }

    /// <summary>When each event was published, by its id.</summary>
    public ConcurrentDictionary<Guid, DateTimeOffset> Published { get; } = [];

    /// <summary>Publishes payments as fast as it goes.</summary>
    /// <param name="payments">How many.</param>
    /// <param name="token">The provider's token that they are paid with.</param>
    public async Task PublishAsync(int payments, string token = "tok_visa")
    {
        for (var i = 0; i < payments; i++)
            Publish(token);
        await Task.Run(() => _producer.Flush(TimeSpan.FromMinutes(2)));
    }

    /// <summary>Publishes payments at a steady rate, whether or not those before were decided.</summary>
    public async Task PublishAsync(int rate, TimeSpan duration, CancellationToken cancellationToken)
    {
        var (began, total) = (TimeProvider.System.GetTimestamp(), (int)(rate * duration.TotalSeconds));
        for (var i = 0; i < total; i++)
        {
            var due = TimeSpan.FromSeconds((double)i / rate) - TimeProvider.System.GetElapsedTime(began);
            if (due > TimeSpan.Zero)
                await Task.Delay(due, cancellationToken);
            Publish("tok_visa");
        }
    }

    public void Dispose() => _producer.Dispose();

    private void Publish(string token)
    {
        var (shopper, id, payment, order) = (_next++ % _shoppers, Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        var request = new PaymentRequested(order, payment, $"shopper-{shopper}", new(5 + _random.Next(9_500) / 100m, "EUR"), Sealer.Seal(payment, token),
            $"device-{shopper}", $"address-{shopper}", "DE", DateTimeOffset.UnixEpoch.AddYears(55));
        var now = DateTimeOffset.UtcNow;
        Published[id] = now;
        _producer.Produce(Topics.Orders.Name, new()
        {
            Key = Encoding.UTF8.GetBytes(order.ToString()),
            Value = JsonSerializer.SerializeToUtf8Bytes(request, ContractsJson.Default.PaymentRequested),
            Headers = new CloudEvent(id, _type, "/shop/bench", now, order.ToString()).ToHeaders(),
        });
    }
}
