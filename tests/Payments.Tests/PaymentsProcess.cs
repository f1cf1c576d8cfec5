using Shop.AppHost.Running;
using Shop.Testing.Processes;

namespace Shop.Payments.Tests;

/// <summary>Payments as a process of its own, that can be killed as a crash does it.</summary>
public sealed class PaymentsProcess : IAsyncDisposable
{
    private readonly ProcessGuard _guard;
    private readonly ChildProcess _process;

    private PaymentsProcess(ProcessGuard guard, ChildProcess process)
    {
        _guard = guard;
        _process = process;
    }

    /// <summary>Starts an instance; at the port 0 it is a new member of its consumer group, at another the one that it was there before.</summary>
    public static PaymentsProcess Start(TestShop shop, int port = 0)
    {
        var owner = Path.Combine(Path.GetTempPath(), $"shop-payments-{Guid.CreateVersion7():N}");
        var environment = shop.Settings.ToDictionary(setting => setting.Key.Replace(":", "__"), setting => (string?)setting.Value);
        environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}";
        environment["DOTNET_ENVIRONMENT"] = "Development";
        var guard = ProcessGuard.Start(owner);
        return new(guard, ChildProcess.Start(
            new("dotnet", Path.Combine(AppContext.BaseDirectory, "Payments.dll")) { Environment = environment }, owner, shop.Logs.Add));
    }

    /// <summary>Ends it with SIGKILL: nothing is written or told any more.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.Exited;
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        await _guard.DisposeAsync();
    }
}
