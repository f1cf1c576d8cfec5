using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;

namespace Shop.AppHost.Running;

/// <summary>
/// How the shop ends. What needs others is stopped before those: the orchestrator would send everybody SIGTERM at once, and a consumer
/// whose broker is gone takes six seconds to close. And when the orchestrator dies, the shop ends: nobody could start or stop its parts.
/// </summary>
internal sealed class ShopLifetime(ShopReport report, IHostApplicationLifetime lifetime) : IHostedLifecycleService
{
    private const int Terminate = 15;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(8);
    private readonly List<PosixSignalRegistration> _signals = [];

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            lifetime.StopApplication();
        }));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, _ =>
        {
            // the second Ctrl-C ends the AppHost at once; the guard stops the rest
            if (lifetime.ApplicationStopping.IsCancellationRequested) Environment.Exit(130);
        }));
        foreach (var process in ShopGuard.Orchestrator()) _ = WatchAsync(process);
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        ShopReport.Say("Stopping the shop");
        return StopPartsAsync();
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        _signals.ForEach(signal => signal.Dispose());
        return Task.CompletedTask;
    }

    private async Task WatchAsync(Process orchestrator)
    {
        await orchestrator.WaitForExitAsync(lifetime.ApplicationStopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (lifetime.ApplicationStopping.IsCancellationRequested) return;
        ShopReport.Say("Aspire's orchestrator (dcp) has ended: stopping the shop");
        await StopPartsAsync();
        report.Delete();
        Environment.Exit(1); // the host would wait for the orchestrator's answers; the guard stops what is left
    }

    private async Task StopPartsAsync()
    {
        foreach (var part in report.Parts) part.StopWanted = true;
        var needed = report.Parts.SelectMany(part => part.Resource.Annotations.OfType<WaitAnnotation>())
            .SelectMany(wait => wait.Resource is IResourceWithParent child ? [wait.Resource, child.Parent] : new[] { wait.Resource }).ToHashSet();
        foreach (var parts in report.Parts.GroupBy(part => needed.Contains(part.Resource)).OrderBy(group => group.Key))
            await Task.WhenAll(parts.Select(part => part.StartedPid).OfType<int>().Select(StopAsync));
    }

    private static async Task StopAsync(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            _ = Signal(pid, Terminate);
            using var grace = new CancellationTokenSource(Grace);
            await process.WaitForExitAsync(grace.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!process.HasExited) process.Kill();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException) { } // it has ended by itself
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Signal(int pid, int signal);
}
