using Shop.AppHost.Running;
using Shop.Testing;
using Shop.Testing.Processes;

namespace Shop.Inventory.Tests.Hosting;

/// <summary>An instance of the service as a process of its own, to be killed as a crash does it.</summary>
public sealed class InventoryProcess : InventoryApi, IAsyncDisposable
{
    private readonly ProcessGuard _guard;
    private readonly ChildProcess _process;

    private InventoryProcess(string database, string kafka)
    {
        var (owner, address) = (Path.Combine(Path.GetTempPath(), $"shop-inventory-{Guid.CreateVersion7():N}"), $"http://127.0.0.1:{Ports.Free()}");
        _guard = ProcessGuard.Start(owner);
        var spec = new ProcessSpec("dotnet", Path.Combine(AppContext.BaseDirectory, "Inventory.dll"))
        {
            Environment = new Dictionary<string, string?>
            {
                ["ASPNETCORE_URLS"] = address,
                ["ConnectionStrings__inventory"] = database,
                ["ConnectionStrings__kafka"] = kafka,
                ["Authentication__SigningKey"] = TestTokens.SigningKey,
                ["ASPNETCORE_ENVIRONMENT"] = "Development",
                ["Logging__LogLevel__Default"] = "Error",
            },
        };
        _process = ChildProcess.Start(spec, owner, Console.WriteLine);
        Client = new() { BaseAddress = new Uri(address) };
    }

    public override HttpClient Client { get; }

    /// <summary>Starts an instance and returns when it is ready.</summary>
    public static async Task<InventoryProcess> StartAsync(string database, string kafka)
    {
        var process = new InventoryProcess(database, kafka);
        await Eventually.BecomesTrueAsync(async () =>
        {
            try
            {
                using var answer = await process.GetAsync("/health/ready");
                return answer.IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });
        return process;
    }

    /// <summary>Ends it with SIGKILL: nothing is written or told any more.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.Exited;
    }

    /// <summary>Stops it where it is, with SIGSTOP: it holds what it holds, and says nothing.</summary>
    public void Pause() => Signals.Send(_process.Id, Signals.Stop);

    /// <summary>Lets it go on.</summary>
    public void Resume() => Signals.Send(_process.Id, Signals.Continue);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _process.DisposeAsync();
        await _guard.DisposeAsync();
    }
}
