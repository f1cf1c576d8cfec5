using Shop.AppHost.Running;
using Shop.Testing.Processes;

namespace Shop.Messaging.Tests.Hosting;

/// <summary>An instance of <see cref="JournalService"/> as a process of its own, to be killed as a crash does it.</summary>
public sealed class ServiceProcess : IAsyncDisposable
{
    public const string Command = "--journal-service";

    private readonly ProcessGuard _guard;
    private readonly ChildProcess _process;

    private ServiceProcess(ProcessGuard guard, ChildProcess process)
    {
        _guard = guard;
        _process = process;
    }

    public static ServiceProcess Start(JournalService service, string? kafka = null)
    {
        var owner = Path.Combine(Path.GetTempPath(), $"shop-journals-{Guid.CreateVersion7():N}");
        var guard = ProcessGuard.Start(owner);
        return new(guard, ChildProcess.Start(new("dotnet", typeof(ServiceProcess).Assembly.Location, Command, service.Name, service.Database, kafka ?? service.Kafka), owner, Console.WriteLine));
    }

    /// <summary>What the process does: keeps journals until it is killed.</summary>
    public static async Task<int> RunAsync(string name, string database, string kafka)
    {
        using var service = new JournalService(name, database, kafka);
        await using var instance = await service.StartAsync();
        await Task.Delay(Timeout.Infinite);
        return 0;
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
