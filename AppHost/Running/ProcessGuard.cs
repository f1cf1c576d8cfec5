using System.Diagnostics;
using System.Globalization;

namespace Shop.AppHost.Running;

/// <summary>
/// A small shell process, in a session of its own, that outlives its runner by the seconds it takes to stop what the
/// runner has left behind: every process whose environment names the owner and this run. It watches a pipe that the kernel closes with the runner, so it also works after kill -9.
/// PR_SET_PDEATHSIG would not: it is tied to the thread that forked, and .NET's threads come and go.
/// </summary>
internal sealed class ProcessGuard : IAsyncDisposable
{
    /// <summary>The environment variable that names a process's owner.</summary>
    public const string OwnerVariable = "SHOP_RUNNER_OWNER";

    /// <summary>The environment variable that names this run of the owner's.</summary>
    public const string RunnerVariable = "SHOP_RUNNER";

    /// <summary>This process among all that ever run for an owner.</summary>
    public static readonly string Runner = Guid.CreateVersion7().ToString("N");

    private static readonly string Script = Path.Combine(AppContext.BaseDirectory, "stop-leftovers.sh");
    private readonly string[] _arguments;
    private readonly Task _watching;
    private volatile Process _process;
    private volatile int _processId;
    private volatile bool _disposed;

    private ProcessGuard(string[] arguments)
    {
        _arguments = arguments;
        _process = Begin();
        _watching = WatchAsync();
    }

    /// <summary>The guard's own process id.</summary>
    public int ProcessId => _processId;

    /// <summary>Stops whatever an earlier runner of the same owner has left, and returns when it is gone.</summary>
    /// <param name="owner">The owner: a data directory's absolute path.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public static async Task StopLeftoversAsync(string owner, CancellationToken cancellationToken)
    {
        using var sweep = Spawn([owner]);
        sweep.StandardInput.Close();
        await sweep.WaitForExitAsync(cancellationToken);
    }

    /// <summary>Starts to guard this runner's own processes: the guard of one that was killed must not stop those of its successor. Dispose to stop them at once.</summary>
    /// <param name="owner">The owner.</param>
    /// <param name="directory">A directory to remove at the end; null for none.</param>
    public static ProcessGuard Start(string owner, string? directory = null) => new([owner, directory ?? "", Runner]);

    /// <summary>Stops what is still running and waits until it is gone.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        _process.StandardInput.Close();
        await _watching;
    }

    private Process Begin()
    {
        var process = Spawn(_arguments);
        _processId = int.Parse(process.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture);
        return process;
    }

    private async Task WatchAsync()
    {
        while (true)
        {
            // ends with the guard
            await _process.StandardOutput.ReadToEndAsync();
            _process.Dispose();
            if (_disposed) return;
            // whoever kills the guard must not leave the shop unguarded
            _process = Begin();
        }
    }

    private static Process Spawn(string[] arguments)
    {
        var setSid = Programs.Find("setsid");
        var start = new ProcessStartInfo(setSid ?? "/bin/sh", [.. setSid is null ? [] : (string[])["/bin/sh"], Script, .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true, WorkingDirectory = "/" };
        // a guard inside a guarded process must not be stopped by the outer one before it has done its work
        start.Environment.Remove(OwnerVariable);
        return Process.Start(start)!;
    }
}
