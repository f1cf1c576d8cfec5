using Shop.AppHost.Running;

namespace Shop.Testing.Processes;

/// <summary>A service as a process of its own, built beside what runs here, that can be killed as a crash does it.</summary>
public sealed class ServiceProcess : IAsyncDisposable
{
    private static readonly HttpClient Http = new();
    private readonly ProcessGuard _guard;
    private readonly ChildProcess _process;
    private readonly LogTail _log = new(40);

    private ServiceProcess(string name, string database, string kafka, (string Name, string Value)[] settings)
    {
        var owner = Path.Combine(Path.GetTempPath(), $"shop-{name}-{Guid.CreateVersion7():N}");
        Address = new($"http://127.0.0.1:{Ports.Free()}");
        var environment = settings.ToDictionary(setting => setting.Name.Replace(":", "__", StringComparison.Ordinal), setting => (string?)setting.Value);
        environment["ASPNETCORE_URLS"] = Address.ToString();
        environment["DOTNET_ENVIRONMENT"] = "Development";
        environment[$"ConnectionStrings__{name}"] = database;
        environment["ConnectionStrings__kafka"] = kafka;
        environment["Authentication__SigningKey"] = TestTokens.SigningKey;
        environment.TryAdd("Logging__LogLevel__Default", "Error");
        _guard = ProcessGuard.Start(owner);
        var program = Path.Combine(AppContext.BaseDirectory, $"{char.ToUpperInvariant(name[0])}{name[1..]}.dll");
        _process = ChildProcess.Start(new("dotnet", program) { Environment = environment }, owner, _log.Add);
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>Starts it, and returns when it says that it is ready.</summary>
    /// <param name="name">The service, in small letters: of its program, and of its database's connection string.</param>
    /// <param name="database">A connection string (Npgsql).</param>
    /// <param name="kafka">Bootstrap servers.</param>
    /// <param name="settings">More of its configuration.</param>
    /// <exception cref="InvalidOperationException">It has ended, or was not ready within the deadline; with its last lines.</exception>
    public static async Task<ServiceProcess> StartAsync(string name, string database, string kafka, params (string Name, string Value)[] settings)
    {
        var service = new ServiceProcess(name, database, kafka, settings);
        try
        {
            await Eventually.BecomesTrueAsync(async () => service._process.Exited.IsCompleted || await service.IsReadyAsync());
            return service._process.Exited.IsCompleted ? throw new InvalidOperationException($"{name} has ended:\n{service._log}") : service;
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends it with SIGKILL: nothing is written or told any more.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.Exited;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        await _guard.DisposeAsync();
    }

    private async Task<bool> IsReadyAsync()
    {
        try
        {
            using var answer = await Http.GetAsync(new Uri(Address, "/health/ready"));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
