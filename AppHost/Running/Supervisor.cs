using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Hosting;

namespace Shop.AppHost.Running;

/// <summary>How patiently parts are started and started again.</summary>
internal sealed record Patience
{
    /// <summary>The pause before the first restart; it doubles with each further one.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest pause.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a part has to be healthy before the pauses begin anew.</summary>
    public TimeSpan HealthyAgainAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a part may take until it is healthy for the first time, its first restarts included.</summary>
    public TimeSpan StartDeadline { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>How many times a part may end before it was ever healthy.</summary>
    public int StartAttempts { get; init; } = 4;
}

/// <summary>
/// Watches the instances of the resources that are to be kept running: asks them for their health, and starts them again with growing
/// pauses when they end, as systemd or Kubernetes would. One that a person stops stays stopped. One that is merely unhealthy is left
/// alone: readiness is about what it needs, and killing it would not bring that back.
/// </summary>
internal sealed partial class Supervisor(
    ResourceNotificationService notifications, ResourceCommandService commands, ResourceLoggerService loggers, ShopReport report, Patience patience) : BackgroundService
{
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan HealthyInterval = TimeSpan.FromSeconds(2);
    private readonly Lock _lock = new();
    private volatile bool _failed;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether every instance of the resource is healthy.</summary>
    public bool IsHealthy(string name)
    {
        lock (_lock) return report.Parts.Any(part => part.Name == name) && report.Parts.All(part => part.Name != name || part.State == PartState.Healthy);
    }

    /// <summary>Returns when every instance of the resource is healthy.</summary>
    public async Task HealthyAsync(string name, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock) changed = _changed.Task;
            if (IsHealthy(name)) return;
            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var change in notifications.WatchAsync(stoppingToken))
        {
            // the model's own entry, before there are instances, has the resource's name for its id
            if (!change.Resource.HasAnnotationOfType<ProbeAnnotation>() || change.ResourceId == change.Resource.Name) continue;
            var part = report.Parts.FirstOrDefault(part => part.Id == change.ResourceId) ?? Add(change.Resource, change.ResourceId, stoppingToken);
            Follow(part, change.Snapshot, stoppingToken);
        }
    }

    private Part Add(IResource resource, string id, CancellationToken stopping)
    {
        var part = report.Add(resource, id);
        _ = CopyLogAsync(part, stopping);
        return part;
    }

    private void Follow(Part part, CustomResourceSnapshot snapshot, CancellationToken stopping)
    {
        var pid = snapshot.Properties.FirstOrDefault(property => property.Name == "executable.pid")?.Value is int and > 0 and var value ? value : (int?)null;
        part.Url = AddressOf(snapshot) ?? part.Url;
        var state = snapshot.State?.Text;
        if (state == KnownResourceStates.Stopping) part.StopWanted = true;
        else if (state == KnownResourceStates.Running && pid is not null && part.Probing is null) Started(part, pid.Value, stopping);
        else if (state == KnownResourceStates.Starting) Change(part, PartState.Starting);
        else if (KnownResourceStates.TerminalStates.Contains(state) && part.State is not (PartState.Restarting or PartState.Failed or PartState.Stopped))
            Ended(part, state == KnownResourceStates.FailedToStart ? "cannot start" : $"ended with code {snapshot.ExitCode}", stopping);
    }

    private void Started(Part part, int pid, CancellationToken stopping)
    {
        part.StopWanted = false;
        part.Pid = part.StartedPid = pid;
        part.FirstStart ??= Stopwatch.GetTimestamp();
        part.Probing = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Change(part, PartState.Starting);
        report.Changed(part); // its process id, at least, is another
        _ = ProbeAsync(part, part.Probing.Token);
    }

    private void Ended(Part part, string reason, CancellationToken stopping)
    {
        part.Probing?.Cancel();
        part.Probing = null;
        part.Pid = part.StartedPid = null;
        part.Failures = part.HealthyFor >= patience.HealthyAgainAfter ? 1 : part.Failures + 1;
        part.HealthySince = null;
        if (part.StopWanted) Change(part, PartState.Stopped);
        else if (!part.WasHealthy && part.Failures >= patience.StartAttempts) Fail(part, reason);
        else _ = RestartAsync(part, reason, stopping);
    }

    private async Task RestartAsync(Part part, string reason, CancellationToken stopping)
    {
        var doubled = Math.Pow(2, Math.Min(part.Failures - 1, 10)) * patience.FirstPause;
        var pause = doubled < patience.LongestPause ? doubled : patience.LongestPause;
        part.Restarts++;
        Change(part, PartState.Restarting);
        report.Line(part, $"{report.Title(part)} {reason}; starting it again in {pause.TotalMilliseconds:0} ms");
        await Task.Delay(pause, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (stopping.IsCancellationRequested || part.State != PartState.Restarting) return; // or somebody has started it meanwhile
        Change(part, PartState.Starting);
        try
        {
            var result = await commands.ExecuteCommandAsync(part.Id, KnownResourceCommands.StartCommand, stopping);
            // somebody stopped the shop, or started the part, between the question and the command; else it says why it cannot
            if (result.Success || stopping.IsCancellationRequested || part.Probing is not null) return;
            Ended(part, $"cannot start: {result.Message}", stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested) { }
    }

    private async Task ProbeAsync(Part part, CancellationToken cancellationToken)
    {
        for (var started = Stopwatch.GetTimestamp(); !cancellationToken.IsCancellationRequested;)
        {
            var healthy = await AskAsync(part, cancellationToken);
            if (cancellationToken.IsCancellationRequested) return;
            if (healthy && part.State != PartState.Healthy)
            {
                part.Pid = part.Resource is IHasProcess { ProcessId: { } own } ? own : part.StartedPid;
                part.HealthySince = Stopwatch.GetTimestamp();
                Change(part, PartState.Healthy);
            }
            else if (!healthy && part.WasHealthy) Change(part, PartState.Unhealthy);
            else if (!healthy && Stopwatch.GetElapsedTime(part.FirstStart!.Value) > patience.StartDeadline) Fail(part, "was not healthy in time");

            var waited = Stopwatch.GetElapsedTime(started) / 10;
            var pause = healthy || waited > HealthyInterval ? HealthyInterval : waited < TimeSpan.FromMilliseconds(50) ? TimeSpan.FromMilliseconds(50) : waited;
            await Task.Delay(pause, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task<bool> AskAsync(Part part, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(ProbeTimeout);
        try
        {
            return part.Resource.TryGetLastAnnotation<ProbeAnnotation>(out var probe) && await probe.AskAsync(part.Url ?? "", timeout.Token);
        }
        catch (Exception)
        {
            return false; // whatever keeps it from answering: the process's own log tells
        }
    }

    private void Fail(Part part, string reason)
    {
        if (_failed) return;
        _failed = true;
        // a part that waits, or is not ready because what it calls is not, is not the one to be named
        while (report.Parts.FirstOrDefault(other => other != part && !other.WasHealthy && Needs(part, other.Resource)) is { } culprit) (part, reason) = (culprit, "was not healthy in time");
        Change(part, PartState.Failed);
        report.Failed(part, reason);
    }

    private static bool Needs(Part part, IResource other) =>
        part.Resource.Annotations.OfType<ResourceRelationshipAnnotation>().Select(relation => relation.Resource)
            .Any(resource => resource == other || (resource is IResourceWithParent child && child.Parent == other));

    private void Change(Part part, PartState state)
    {
        lock (_lock)
        {
            if (part.State == state) return;
            part.State = state;
            _changed.TrySetResult();
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        report.Changed(part);
        part.WasHealthy |= state == PartState.Healthy;
    }

    private async Task CopyLogAsync(Part part, CancellationToken cancellationToken)
    {
        await foreach (var lines in loggers.WatchAsync(part.Id).WithCancellation(cancellationToken))
            foreach (var line in lines) report.Line(part, Colour().Replace(line.Content, ""));
    }

    /// <summary>The colours that Aspire has .NET's processes write, for its dashboard.</summary>
    [GeneratedRegex(@"\e\[[\d;]*m")]
    private static partial Regex Colour();

    /// <summary>An instance's own address: of replicas the one behind the proxy that they share.</summary>
    private static string? AddressOf(CustomResourceSnapshot snapshot) =>
        snapshot.EnvironmentVariables.FirstOrDefault(variable => variable.Name == "ASPNETCORE_URLS")?.Value
        ?? snapshot.Urls.FirstOrDefault(url => !url.IsInternal)?.Url;
}

/// <summary>A resource whose process is another than the one that the orchestrator started.</summary>
internal interface IHasProcess
{
    /// <summary>The process id; null when it is not known.</summary>
    int? ProcessId { get; }
}
