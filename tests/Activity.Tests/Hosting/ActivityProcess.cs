using Shop.AppHost.Running;
using Shop.Testing;
using Shop.Testing.Processes;

namespace Shop.Activity.Tests.Hosting;

/// <summary>The service as a process of its own, that can be killed as a crash does it.</summary>
public sealed class ActivityProcess : IAsyncDisposable
{
    private readonly ProcessGuard _guard;
    private readonly ChildProcess _process;

    private ActivityProcess(ProcessGuard guard, ChildProcess process)
    {
        _guard = guard;
        _process = process;
    }

    /// <summary>Starts an instance; at the port 0 it is a new member of its consumer groups, at another the one that it was there before.</summary>
    public static ActivityProcess Start(string database, string kafka, int port, params (string Name, string Value)[] settings)
    {
        var owner = Path.Combine(Path.GetTempPath(), $"shop-activity-{Guid.CreateVersion7():N}");
        var environment = settings.ToDictionary(setting => setting.Name.Replace(":", "__", StringComparison.Ordinal), setting => (string?)setting.Value);
        environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}";
        environment["DOTNET_ENVIRONMENT"] = "Development";
        environment["ConnectionStrings__activity"] = database;
        environment["ConnectionStrings__kafka"] = kafka;
        environment["Authentication__SigningKey"] = TestTokens.SigningKey;
        environment["Visitors__CookieKey"] = RunningActivity.CookieKey;
        environment["Logging__LogLevel__Default"] = "Error";
        var guard = ProcessGuard.Start(owner);
        return new(guard, ChildProcess.Start(new("dotnet", Path.Combine(AppContext.BaseDirectory, "Activity.dll")) { Environment = environment }, owner, Console.WriteLine));
    }

    /// <summary>Whether it has a file open.</summary>
    public bool HasOpen(string path)
    {
        try
        {
            return Directory.EnumerateFiles($"/proc/{_process.Id}/fd").Any(descriptor => new FileInfo(descriptor).LinkTarget == path);
        }
        catch (IOException)
        {
            // it has ended
            return false;
        }
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
