using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shop.Contracts;
using Shop.Testing;

[assembly: AssemblyFixture(typeof(PostgresFixture))]

namespace Shop.Payments.Tests;

/// <summary>
/// What surrounds Payments: a broker, a database and a payment provider of its own, and somebody who publishes what Orders
/// would and hears what Payments answers.
/// </summary>
public sealed class TestShop : IAsyncDisposable
{
    private readonly RunningBroker _broker;
    private readonly string _database;
    private readonly List<PaymentsInstance> _instances = [];

    private TestShop(RunningBroker broker, string database, OrdersStandIn orders, TestProvider provider)
    {
        _broker = broker;
        _database = database;
        Orders = orders;
        Provider = provider;
    }

    public OrdersStandIn Orders { get; }

    public TestProvider Provider { get; }

    /// <summary>Everything that the instances of Payments have logged.</summary>
    public CollectedLogs Logs { get; } = new();

    public static async Task<TestShop> StartAsync(PostgresFixture postgres, Broker broker = Broker.Embedded, bool providerIsUp = true)
    {
        var running = await RunningBroker.StartAsync(broker);
        var orders = await OrdersStandIn.StartAsync(await postgres.CreateDatabaseAsync(), running.BootstrapServers);
        var provider = new TestProvider();
        if (providerIsUp)
            provider.Start();
        return new(running, await postgres.CreateDatabaseAsync(), orders, provider);
    }

    /// <summary>Starts an instance of Payments, in this process.</summary>
    /// <param name="network">Sits between Payments and the provider.</param>
    public PaymentsInstance StartPayments(Network? network = null)
    {
        var instance = new PaymentsInstance(Settings, Logs, network);
        _instances.Add(instance);
        return instance;
    }

    /// <summary>The settings of Payments, by their names in configuration.</summary>
    public Dictionary<string, string> Settings => new()
    {
        ["ConnectionStrings:payments"] = _database,
        ["ConnectionStrings:kafka"] = _broker.BootstrapServers,
        ["services:payment-provider:http:0"] = Provider.Address,
        ["Authentication:SigningKey"] = TestTokens.SigningKey,
        ["PaymentTokens:PrivateKey"] = TestPaymentKeys.Private,
    };

    /// <summary>
    /// Returns when a payment that comes after everything of <paramref name="order"/> was authorised: what had no effect until then has
    /// none. Partitions are handled side by side, so it has to be one of the order's own partition.
    /// </summary>
    public async Task PassAPaymentBehindAsync(Guid order)
    {
        PaymentRequested last;
        do
        {
            last = await Orders.RequestAsync("tok_visa");
            await Eventually.BecomesAsync("PaymentAuthorized", () => Orders.PaymentEventsOfAsync(last.OrderId));
        }
        while (PartitionOf(last.OrderId) != PartitionOf(order));

        // orders and payments have as many partitions, and a key is in the same one of both
        int PartitionOf(Guid key) => Orders.Events(Topics.Orders).Concat(Orders.Events(Topics.Payments)).First(e => e.OrderId == key).Partition;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var instance in _instances)
            await instance.DisposeAsync();
        await Orders.DisposeAsync();
        await Provider.DisposeAsync();
        await _broker.DisposeAsync();
    }
}

/// <summary>Payments, as its Program starts it.</summary>
public sealed class PaymentsInstance : WebApplicationFactory<Payment>
{
    private readonly Dictionary<string, string> _settings;
    private readonly CollectedLogs _logs;
    private readonly Network? _network;

    public PaymentsInstance(Dictionary<string, string> settings, CollectedLogs logs, Network? network)
    {
        _settings = settings;
        _logs = logs;
        _network = network;
        // it is Services that starts the host
        _ = Services;
    }

    /// <summary>An operator's client.</summary>
    public HttpClient CreateOperator(string name = "olga")
    {
        var http = CreateClient();
        http.DefaultRequestHeaders.Authorization = new("Bearer", TestTokens.Operator(name));
        return http;
    }

    /// <summary>Compares its payments with the provider's ledger: how many were compared, how many are on their way, and what differs.</summary>
    public async Task<(long Compared, long InFlight, string Differences)> ReconcileAsync(string time = "{}")
    {
        using var http = CreateOperator();
        using var content = new StringContent(time, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync("/api/ops/payments/reconciliation", content, TestContext.Current.CancellationToken);
        var report = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, report.GetRawText());
        return (report.GetProperty("compared").GetInt64(), report.GetProperty("inFlight").GetInt64(), string.Join("; ", report.GetProperty("differences").EnumerateArray().Select(difference =>
            $"{difference.GetProperty("paymentId").GetGuid()} {difference.GetProperty("ours").GetString()} / {difference.GetProperty("theirs").GetString()}").Order(StringComparer.Ordinal)));
    }

    public async Task<T> QueryAsync<T>(Func<PaymentsDb, Task<T>> query)
    {
        await using var scope = Services.CreateAsyncScope();
        return await query(scope.ServiceProvider.GetRequiredService<PaymentsDb>());
    }

    public Task<Payment?> FindAsync(Guid paymentId) => QueryAsync(db => db.Payments.AsNoTracking().SingleOrDefaultAsync(payment => payment.PaymentId == paymentId));

    public Task<PaymentState?> StateAsync(Guid paymentId) =>
        QueryAsync(db => db.Payments.Where(payment => payment.PaymentId == paymentId).Select(payment => (PaymentState?)payment.State).SingleOrDefaultAsync());

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        foreach (var (name, value) in _settings)
            builder.UseSetting(name, value);
        builder.ConfigureLogging(logging => logging.AddProvider(_logs).SetMinimumLevel(LogLevel.Debug));
        builder.ConfigureTestServices(services =>
        {
            if (_network is not null)
                services.AddHttpClient("payment-provider").AddHttpMessageHandler(() => new NetworkHandler(_network));
        });
    }

    private sealed class NetworkHandler(Network network) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            network(request, token => base.SendAsync(request, token), cancellationToken);
    }
}

/// <summary>What happens on the way to the provider: may lose or hold back the request or the answer.</summary>
public delegate Task<HttpResponseMessage> Network(HttpRequestMessage request, Func<CancellationToken, Task<HttpResponseMessage>> send, CancellationToken cancellationToken);

/// <summary>Keeps every log line.</summary>
public sealed class CollectedLogs : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();

    public string Text => string.Join('\n', _lines);

    public void Add(string line) => _lines.Enqueue(line);

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull
    {
        _lines.Enqueue(state.ToString() ?? "");
        return null;
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue($"{eventId.Name} {formatter(state, exception)} {exception}");

    public void Dispose()
    {
    }
}
