using System.Diagnostics;
using System.Text;

namespace Shop.AppHost.Running;

/// <summary>
/// Has the data directory for this AppHost alone, and sees to it that nothing of the shop outlives it, by a <see cref="ProcessGuard"/>.
/// The orchestrator's own means would be a monitor process of 20 MiB beside each part.
/// </summary>
internal sealed class ShopGuard(FileStream lockFile, ProcessGuard guard) : IAsyncDisposable
{
    /// <summary>Takes the data directory, stops what a killed AppHost may have left, and starts to guard.</summary>
    /// <returns>The guard; null when another AppHost has the directory.</returns>
    public static async Task<ShopGuard?> TakeAsync(string data)
    {
        Directory.CreateDirectory(data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.CreateDirectory(Path.Combine(data, "logs"));
        FileStream? lockFile = null;
        // an AppHost that was just killed still has the lock for a moment, until the kernel has taken it apart
        for (var attempt = 1; lockFile is null; attempt++)
        {
            try
            {
                lockFile = new FileStream(Path.Combine(data, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None); // an flock
            }
            catch (IOException)
            {
                if (attempt == 5) return null;
                await Task.Delay(100);
            }
        }

        // ./shop finds this AppHost by it from the first moment on, before there is anything to report
        lockFile.SetLength(0);
        lockFile.Write(Encoding.ASCII.GetBytes($"{Environment.ProcessId}\n"));
        lockFile.Flush();

        await ProcessGuard.StopLeftoversAsync(data, CancellationToken.None);
        // the orchestrator inherits them, and everything that it starts
        Environment.SetEnvironmentVariable(ProcessGuard.OwnerVariable, data);
        Environment.SetEnvironmentVariable(ProcessGuard.RunnerVariable, ProcessGuard.Runner);
        Environment.SetEnvironmentVariable("DCP_DISABLE_MONITOR_PROCESS", "1");
        return new ShopGuard(lockFile, ProcessGuard.Start(data));
    }

    /// <summary>The orchestrator's processes of this run.</summary>
    public static IEnumerable<Process> Orchestrator() => Process.GetProcessesByName("dcp").Where(process =>
    {
        try
        {
            return File.ReadAllText($"/proc/{process.Id}/environ").Contains($"{ProcessGuard.RunnerVariable}={ProcessGuard.Runner}\0", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // it has ended since, or is somebody else's
        }
    });

    /// <summary>Stops what still runs and waits until it is gone.</summary>
    public async ValueTask DisposeAsync()
    {
        await guard.DisposeAsync();
        await lockFile.DisposeAsync();
    }
}
