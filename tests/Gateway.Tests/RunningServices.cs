using Shop.AppHost.Running;
using Shop.Testing;
using Shop.Testing.Processes;

namespace Shop.Gateway.Tests;

/// <summary>The services, each a process with no settings but those without which it does not work, at a PostgreSQL and a broker.</summary>
public abstract class RunningServices : IAsyncLifetime
{
    private readonly PostgresFixture _postgres = new();
    private readonly Dictionary<string, ServiceProcess> _services = [];
    private RunningBroker? _broker;

    /// <summary>Environment variables of each of them, beside those that are its own.</summary>
    protected abstract IReadOnlyDictionary<string, string?> Settings { get; }

    /// <summary>The service of that name.</summary>
    public ServiceProcess this[string name] => _services[name];

    /// <summary>All of them.</summary>
    protected IEnumerable<ServiceProcess> All => _services.Values;

    /// <summary>Returns when all of them are ready, as none is without what it needs of the others: Orders has its products from Inventory.</summary>
    public virtual async ValueTask InitializeAsync()
    {
        await _postgres.InitializeAsync();
        _broker = await RunningBroker.StartAsync(Broker.Embedded);
        await StartAsync("orders", "Orders.dll", ("PaymentTokens__PublicKey", TestPaymentKeys.Public));
        await StartAsync("inventory", "Inventory.dll");
        // the provider is not asked
        await StartAsync("payments", "Payments.dll", ("PaymentTokens__PrivateKey", TestPaymentKeys.Private), ("services__payment-provider__http__0", $"http://127.0.0.1:{Ports.Free()}"));
        await StartAsync("activity", "Activity.dll", ("Visitors__CookieKey", Convert.ToBase64String(new byte[32])));
        foreach (var service in _services.Values)
            await service.IsReadyAsync();
    }

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var service in _services.Values)
            await service.DisposeAsync();
        if (_broker is not null)
            await _broker.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    private async Task StartAsync(string name, string program, params (string Name, string Value)[] settings)
    {
        var environment = new Dictionary<string, string?>(Settings)
        {
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{Ports.Free()}",
            [$"ConnectionStrings__{name}"] = await _postgres.CreateDatabaseAsync(),
            ["ConnectionStrings__kafka"] = _broker!.BootstrapServers,
        };
        foreach (var (setting, value) in settings)
            environment[setting] = value;
        _services[name] = new(program, environment);
    }
}

/// <summary>The services in Development, where they describe themselves.</summary>
public sealed class ServicesInDevelopment : RunningServices
{
    protected override IReadOnlyDictionary<string, string?> Settings { get; } = new Dictionary<string, string?>
    {
        ["DOTNET_ENVIRONMENT"] = "Development",
        ["ASPNETCORE_ENVIRONMENT"] = "Development",
        ["Authentication__SigningKey"] = TestTokens.SigningKey,
    };

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        // the first one takes a busy machine longer than the gateway waits for it
        foreach (var service in All)
            await service.Client.GetStringAsync("/openapi/v1.json", TestContext.Current.CancellationToken);
    }
}

/// <summary>A service as a process of its own.</summary>
public sealed class ServiceProcess : IAsyncDisposable
{
    private const int KeptLines = 50;

    private readonly LogTail _log = new(KeptLines);
    private readonly ProcessGuard _guard;
    private readonly ChildProcess _process;

    internal ServiceProcess(string program, IReadOnlyDictionary<string, string?> environment)
    {
        Client = new() { BaseAddress = new(environment["ASPNETCORE_URLS"]!) };
        var owner = Path.Combine(Path.GetTempPath(), $"shop-service-{Guid.CreateVersion7():N}");
        _guard = ProcessGuard.Start(owner);
        _process = ChildProcess.Start(new("dotnet", Path.Combine(AppContext.BaseDirectory, program)) { Environment = environment }, owner, _log.Add);
    }

    /// <summary>Speaks to it.</summary>
    public HttpClient Client { get; }

    /// <summary>Where it listens.</summary>
    public string Address => Client.BaseAddress!.GetLeftPart(UriPartial.Authority);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _process.DisposeAsync();
        await _guard.DisposeAsync();
    }

    /// <summary>Returns when it is ready.</summary>
    /// <exception cref="InvalidOperationException">It has ended; the message has its last lines.</exception>
    internal Task IsReadyAsync() => Eventually.BecomesTrueAsync(async () =>
    {
        if (_process.Exited.IsCompleted)
            throw new InvalidOperationException($"It has ended:\n{_log}");
        try
        {
            using var ready = await Client.GetAsync("/health/ready", TestContext.Current.CancellationToken);
            return ready.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException || (e is TaskCanceledException && !TestContext.Current.CancellationToken.IsCancellationRequested))
        {
            // it does not listen yet, or the machine is busy
            return false;
        }
    });
}
