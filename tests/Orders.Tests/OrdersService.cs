using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Shop.Contracts;
using Shop.Orders.Tests;
using Shop.Testing;

[assembly: AssemblyFixture(typeof(OrdersFixture))]

namespace Shop.Orders.Tests;

/// <summary>An Orders service for each broker, shared by the tests: they take shoppers of their own.</summary>
public sealed class OrdersFixture : IAsyncLifetime
{
    private readonly PostgresFixture _postgres = new();
    private readonly BrokerFixture _brokers = new();
    private readonly ConcurrentDictionary<Broker, Lazy<Task<OrdersService>>> _services = new();

    public ValueTask InitializeAsync() => _postgres.InitializeAsync();

    /// <summary>The service on that broker, with the catalogue of <see cref="OrdersService.Catalog"/>.</summary>
    public Task<OrdersService> GetAsync(Broker broker = Broker.Embedded) => _services.GetOrAdd(broker, key => new(async () =>
        await StartWithCatalogAsync(await _postgres.CreateDatabaseAsync(), (await _brokers.GetAsync(key)).BootstrapServers))).Value;

    /// <summary>An empty database, for a test that needs a service of its own.</summary>
    public Task<string> CreateDatabaseAsync() => _postgres.CreateDatabaseAsync();

    public static async Task<OrdersService> StartWithCatalogAsync(string database, string kafka, params (string Name, string Value)[] settings)
    {
        var service = new OrdersService(database, kafka, settings);
        foreach (var product in OrdersService.Catalog)
            await service.ProduceAsync(product);
        await service.IsReadyAsync();
        // ready with the first product; they come from several partitions
        await Eventually.BecomesAsync(OrdersService.Catalog.Length, () => service.QueryAsync(db => db.Products.CountAsync()));
        return service;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _services.Values)
            await (await service.Value).DisposeAsync();
        await _brokers.DisposeAsync();
        await _postgres.DisposeAsync();
    }
}

/// <summary>The real service, on Kestrel with a port of its own, a real database and a real broker; the test plays Inventory and Payments.</summary>
public sealed class OrdersService : WebApplicationFactory<OrdersDb>
{
    public static readonly ProductChanged[] Catalog =
    [
        new("mug-blue", "Mug", "A blue mug", new(9.5m, "EUR")),
        new("pen", "Pen", "A pen", new(0.01m, "EUR")),
        new("bagel", "Bagel", "A bagel", new(2, "USD")),
    ];

    private static readonly Topic[] Topics_ = [Topics.Orders, Topics.Reservations, Topics.Payments, Topics.Catalog];

    private readonly string _database;
    private readonly string _kafka;
    private readonly (string Name, string Value)[] _settings;
    private readonly Lazy<TopicClient> _topics;

    public OrdersService(string database, string kafka, params (string Name, string Value)[] settings)
    {
        _database = database;
        _kafka = kafka;
        _settings = settings;
        _topics = new(() => new TopicClient(kafka));
        UseKestrel();
        StartServer();
        Http = CreateClient();
    }

    public HttpClient Http { get; }

    public async Task IsReadyAsync() =>
        await Eventually.BecomesTrueAsync(async () => (await Http.GetAsync("/health/ready")).IsSuccessStatusCode);

    /// <summary>Publishes an event of another service, in answer to the event <paramref name="cause"/>.</summary>
    /// <returns>The event's id.</returns>
    public Task<Guid> ProduceAsync<T>(T @event, Guid? cause = null, DateTimeOffset? at = null, Guid? id = null) where T : class
    {
        var type = Topics_.Select(topic => topic.TryGetEvent(typeof(T), out var found) ? found : null).First(found => found is not null)!;
        return ProduceAsync(type.Topic, type.KeyOf(@event), type.Name, JsonSerializer.SerializeToUtf8Bytes(@event, type.Json), cause, at, id);
    }

    public async Task<Guid> ProduceAsync(Topic topic, string key, string type, byte[]? body, Guid? cause = null, DateTimeOffset? at = null, Guid? id = null)
    {
        var eventId = id ?? Guid.CreateVersion7();
        var message = TopicClient.Message(key, body,
            ("ce_id", eventId.ToString()), ("ce_type", type), ("ce_source", "/shop/tests"),
            ("ce_time", (at ?? new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero)).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture)));
        if (cause is not null)
            message.Headers.Add("ce_causationid", Encoding.UTF8.GetBytes(cause.Value.ToString()));
        await _topics.Value.ProduceAsync(topic, message);
        return eventId;
    }

    /// <summary>The types of the events that Orders published about an order, up to <paramref name="last"/>, seen <paramref name="times"/> times.</summary>
    public List<string> PublishedUntil(string last, Guid orderId, int times = 1)
    {
        using var consumer = new ConsumerBuilder<string, string>(new ConsumerConfig { BootstrapServers = _kafka, GroupId = $"test-{Guid.NewGuid():N}", EnableAutoCommit = false }).Build();
        consumer.Assign(Enumerable.Range(0, Topics.Orders.Partitions).Select(partition => new TopicPartitionOffset(Topics.Orders.Name, partition, Offset.Beginning)));
        var deadline = DateTime.UtcNow + Eventually.DefaultDeadline;
        var (ids, types) = (new HashSet<string>(), new List<string>());
        while (types.Count(type => type == last) < times)
        {
            // the relay may send an event again, under the same id
            if (consumer.Consume(TimeSpan.FromMilliseconds(100)) is { Message: var message } && message.Key == orderId.ToString()
                && ids.Add(Encoding.UTF8.GetString(message.Headers.GetLastBytes("ce_id"))))
                types.Add(Encoding.UTF8.GetString(message.Headers.GetLastBytes("ce_type")));
            if (DateTime.UtcNow > deadline)
                throw new TimeoutException($"{last} was not published, only {string.Join(", ", types)}");
        }
        return types;
    }

    public async Task<T> QueryAsync<T>(Func<OrdersDb, Task<T>> query)
    {
        await using var scope = Services.CreateAsyncScope();
        return await query(scope.ServiceProvider.GetRequiredService<OrdersDb>());
    }

    /// <summary>Rows that a shopper's submissions have left behind.</summary>
    public Task<int> RowsOfAsync(string shopper) => QueryAsync(async db =>
        await db.Orders.CountAsync(order => order.ShopperId == shopper) + await db.IdempotencyKeys.CountAsync(key => key.ShopperId == shopper));

    public Task<long> DeadLettersAsync() =>
        QueryAsync(db => db.Database.SqlQuery<long>($"""SELECT count(*) AS "Value" FROM dead_letters""").SingleAsync());

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseEnvironment("Development");
        // the address is a setting: UseKestrel(port) changes it on a server that Program may have started already
        builder.UseSetting("urls", "http://127.0.0.1:0");
        builder.UseSetting("ConnectionStrings:orders", $"{_database};Maximum Pool Size=20"); // several services share the cluster, which has 200 connections
        builder.UseSetting("ConnectionStrings:kafka", _kafka);
        builder.UseSetting("Authentication:SigningKey", TestTokens.SigningKey);
        builder.UseSetting("PaymentTokens:PublicKey", TestPaymentKeys.Public);
        foreach (var (name, value) in _settings)
            builder.UseSetting(name, value);
        builder.UseSetting("Logging:LogLevel:Default", "Warning");
        builder.UseSetting("Logging:LogLevel:Microsoft.Hosting.Lifetime", "Warning");
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && _topics.IsValueCreated)
            _topics.Value.Dispose();
        base.Dispose(disposing);
    }
}
