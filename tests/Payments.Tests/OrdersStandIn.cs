using System.Collections.Concurrent;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Shop.Contracts;
using Shop.Messaging;
using Shop.Messaging.Consuming;
using Shop.Messaging.Events;
using Shop.Messaging.Outbox;
using Shop.Testing;

namespace Shop.Payments.Tests;

/// <summary>An event that was on the broker.</summary>
/// <param name="OrderId">Its key: the order, and of an alarm the payment.</param>
/// <param name="Partition">Where it was.</param>
/// <param name="Offset">Where it was.</param>
/// <param name="Attributes">Its attributes.</param>
/// <param name="Body">Its body.</param>
public sealed record HeardEvent(Guid OrderId, int Partition, long Offset, CloudEvent Attributes, string Body);

/// <summary>Publishes to <c>orders</c> what a test wants, and keeps everything that appears there, on <c>payments</c> and on <c>alarms</c>.</summary>
public sealed class OrdersStandIn : IAsyncDisposable
{
    private static readonly PaymentTokenSealer Sealer = new(TestPaymentKeys.Public);

    private readonly IHost _host;

    private OrdersStandIn(IHost host) => _host = host;

    private Heard Heard => _host.Services.GetRequiredService<Heard>();

    public static async Task<OrdersStandIn> StartAsync(string database, string kafka)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new() { EnvironmentName = "Development" });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ConnectionStrings:orders"] = database,
            ["ConnectionStrings:kafka"] = kafka,
        });
        builder.Services.AddSingleton<Heard>();
        builder.AddMessaging<StandInDb>("orders", messaging => messaging
            .Produces(Topics.Orders)
            .Endpoint("test", endpoint => endpoint.Consumes(Topics.Orders, Topics.Payments, Topics.Alarms).BatchHandler<Listener>()));
        var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        return new(host);
    }

    /// <summary>Publishes events in one transaction.</summary>
    public async Task PublishAsync(params object[] events)
    {
        await using var scope = _host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<StandInDb>();
        foreach (var e in events)
            db.Publish(e);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Asks for a payment of 12.50 EUR, of a shopper who has not paid before.</summary>
    /// <param name="token">The token.</param>
    /// <param name="isSealed">Whether it is sealed, as Orders does it; otherwise it is as older events have it.</param>
    public async Task<PaymentRequested> RequestAsync(string token, bool isSealed = true)
    {
        var request = Request(token, $"shopper-{Guid.CreateVersion7()}", isSealed: isSealed);
        await PublishAsync(request);
        return request;
    }

    /// <summary>A request of a payment of 12.50 EUR, for an order of its own.</summary>
    public static PaymentRequested Request(string token, string shopper, string? device = null, string? address = null, bool isFirst = false, bool isSealed = true, Guid? order = null)
    {
        var payment = Guid.CreateVersion7();
        return new(order ?? Guid.CreateVersion7(), payment, shopper, new(12.50m, "EUR"), isSealed ? Sealer.Seal(payment, token) : token,
            device, address, "DE", isFirst ? DateTimeOffset.UtcNow : null);
    }

    /// <summary>The events of <paramref name="topic"/> so far.</summary>
    public IReadOnlyList<HeardEvent> Events(Topic topic) => [.. Heard.Events.Where(e => topic.TryGetEvent(e.Attributes.Type, out _))];

    /// <summary>The types of the payment events of an order so far, as <c>PaymentAuthorized,PaymentCaptured</c>.</summary>
    public Task<string> PaymentEventsOfAsync(Guid orderId) => Task.FromResult(TypesOf(Topics.Payments, orderId));

    /// <summary>The types of the alarms about a payment so far, as <c>AlarmRaised,AlarmCleared</c>.</summary>
    public Task<string> AlarmsOfAsync(Guid paymentId) => Task.FromResult(TypesOf(Topics.Alarms, paymentId));

    private string TypesOf(Topic topic, Guid key) =>
        string.Join(',', Events(topic).Where(e => e.OrderId == key).Select(e => topic.TryGetEvent(e.Attributes.Type, out var type) ? type.ClrType.Name : ""));

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
    }

    private sealed class Listener(Heard heard) : IRecordBatchHandler
    {
        public Task HandleAsync(IReadOnlyList<ConsumedRecord> records, CancellationToken cancellationToken)
        {
            foreach (var record in records)
                heard.Add(new(Guid.Parse(record.Key), record.Partition, record.Offset, record.Event, Encoding.UTF8.GetString(record.Body!)));
            return Task.CompletedTask;
        }
    }
}

public sealed class Heard
{
    private readonly ConcurrentDictionary<Guid, bool> _ids = new();
    private readonly ConcurrentQueue<HeardEvent> _events = new();

    public IReadOnlyCollection<HeardEvent> Events => _events;

    /// <summary>Keeps an event once: it may be sent and handled again, under its id.</summary>
    public void Add(HeardEvent heard)
    {
        if (_ids.TryAdd(heard.Attributes.Id, true))
            _events.Enqueue(heard);
    }
}

public sealed class StandInDb(DbContextOptions<StandInDb> options, TransactionalOutbox outbox) : MessagingDbContext(options, outbox);

[DbContext(typeof(StandInDb)), Migration("1_StandIn")]
public sealed class CreateStandIn : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.CreateModel<StandInDb>();
}
