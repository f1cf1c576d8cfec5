using System.Collections.Concurrent;
using System.Net;
using Npgsql;
using Shop.Testing;

namespace Shop.Inventory.Tests.Hosting;

/// <summary>
/// Running services for the tests of this process, each started when it is first asked for. Tests share them, so they use skus and
/// orders of their own.
/// </summary>
public sealed class ShopFixture : IAsyncLifetime
{
    /// <summary>Nothing listens there.</summary>
    private const string AwayBroker = "127.0.0.1:1";

    private readonly PostgresFixture _postgres = new();
    private readonly BrokerFixture _brokers = new();
    private readonly Lazy<Task<RunningInventory>>[] _onBroker;
    private readonly Lazy<Task<RunningInventory>> _withoutBroker;
    private readonly ConcurrentBag<RunningBroker> _own = [];

    public ShopFixture()
    {
        _onBroker = [.. Enum.GetValues<Broker>().Select(broker => new Lazy<Task<RunningInventory>>(() => StartAsync(broker)))];
        _withoutBroker = new(() => StartWithoutBrokerAsync(instances: 1));
    }

    public ValueTask InitializeAsync() => _postgres.InitializeAsync();

    /// <summary>Two instances on one database and a broker.</summary>
    public Task<RunningInventory> OnAsync(Broker broker) => _onBroker[(int)broker].Value;

    /// <summary>One instance whose broker is away: what it publishes stays in the outbox, to be looked at.</summary>
    public Task<RunningInventory> WithoutBrokerAsync() => _withoutBroker.Value;

    /// <summary>Instances of the caller's own, on a new database, whose broker is away.</summary>
    public async Task<RunningInventory> StartWithoutBrokerAsync(int instances) =>
        await RunningInventory.StartAsync(await _postgres.CreateDatabaseAsync(), AwayBroker, instances);

    /// <summary>Two instances of the caller's own, on a new database and a broker of their own.</summary>
    public async Task<RunningInventory> StartOwnAsync(Broker broker, int alarmMegabytes = RunningInventory.AlarmMegabytes)
    {
        var kafka = await RunningBroker.StartAsync(broker);
        _own.Add(kafka);
        return await RunningInventory.StartAsync(await _postgres.CreateDatabaseAsync(), kafka.BootstrapServers, instances: 2, alarmMegabytes);
    }

    /// <summary>The superuser's connection string.</summary>
    public string AdminConnectionString => _postgres.Cluster.AdminConnectionString;

    /// <summary>An empty database.</summary>
    public Task<string> CreateDatabaseAsync() => _postgres.CreateDatabaseAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var shop in _onBroker.Append(_withoutBroker).Where(shop => shop.IsValueCreated))
            await (await shop.Value).DisposeAsync();
        foreach (var broker in _own)
            await broker.DisposeAsync();
        await _brokers.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    private async Task<RunningInventory> StartAsync(Broker broker)
    {
        var kafka = (await _brokers.GetAsync(broker)).BootstrapServers;
        return await RunningInventory.StartAsync(await _postgres.CreateDatabaseAsync(), kafka, instances: 2);
    }
}

/// <summary>Instances of the service on one database.</summary>
public sealed class RunningInventory : IAsyncDisposable
{
    /// <summary>The log that a slot may hold back before that is an alarm: more than there will be, whatever runs beside.</summary>
    public const int AlarmMegabytes = 10_000;

    private RunningInventory(string database, string kafka, IReadOnlyList<InventoryInstance> instances)
    {
        Kafka = kafka;
        Database = NpgsqlDataSource.Create(database);
        Booking = NpgsqlDataSource.Create(BookingSessions.Of(database));
        Instances = instances;
    }

    public string Kafka { get; }

    public NpgsqlDataSource Database { get; }

    /// <summary>The database, whose levels and ledger may be written.</summary>
    public NpgsqlDataSource Booking { get; }

    public IReadOnlyList<InventoryInstance> Instances { get; }

    public InventoryInstance Instance => Instances[0];

    /// <summary>Starts the instances at once.</summary>
    public static async Task<RunningInventory> StartAsync(string database, string kafka, int instances, int alarmMegabytes = AlarmMegabytes)
    {
        // WebApplicationFactory starts synchronously: on threads of its own, so that the pool's are left to what is started
        var starts = Enumerable.Range(0, instances).Select(_ => Task.Factory.StartNew(
            () => new InventoryInstance(database, kafka, alarmMegabytes), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        return new(database, kafka, await Task.WhenAll(starts));
    }

    /// <summary>Events of the key in the outbox, oldest first: type and body.</summary>
    public async Task<List<(string Type, string Body)>> OutboxAsync(string key)
    {
        await using var command = Database.CreateCommand("SELECT event_type, convert_from(body, 'UTF8') FROM outbox WHERE key = $1 ORDER BY id");
        command.Parameters.Add(new() { Value = key });
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var events = new List<(string, string)>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            events.Add((reader.GetString(0), reader.GetString(1)));
        return events;
    }

    /// <summary>Products whose levels are not the sums of their ledger: none, ever.</summary>
    public static string UnequalToLedger(string skus) => $"""
        SELECT count(*) FROM stock s WHERE sku LIKE '{skus}' AND ROW(s.on_hand::bigint, s.reserved::bigint, s.dispatched::bigint) IS DISTINCT FROM (
          SELECT ROW(coalesce(sum(m.on_hand), 0), coalesce(sum(m.reserved), 0), coalesce(sum(m.dispatched), 0)) FROM stock_movements m WHERE m.sku = s.sku)
        """;

    /// <summary>Returns as soon as the first instance's readiness says so.</summary>
    public Task SaysAsync(HttpStatusCode status, string words) => Eventually.BecomesTrueAsync(async () =>
    {
        using var answer = await Instance.GetAsync("/health/ready");
        return answer.StatusCode == status && (await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Contains(words, StringComparison.Ordinal);
    });

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(Instances.Select(instance => instance.DisposeAsync().AsTask()));
        await Database.DisposeAsync();
        await Booking.DisposeAsync();
    }
}
