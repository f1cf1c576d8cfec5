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

    /// <summary>How long the start may go without progress: a part's first process, or its becoming healthy for the first time.</summary>
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
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan HealthyInterval = TimeSpan.FromSeconds(2);
    private int _failed;
    private long _progress = Stopwatch.GetTimestamp();

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var change in notifications.WatchAsync(stoppingToken))
        {
            // the model's own entry, before there are instances, has the resource's name for its id
            if (!change.Resource.HasAnnotationOfType<ProbeAnnotation>() || change.ResourceId == change.Resource.Name) continue;
            if (report.Parts.FirstOrDefault(part => part.Id == change.ResourceId) is not { } part)
            {
                part = report.Add(change.Resource, change.ResourceId);
                _ = CopyLogAsync(part, stoppingToken);
            }

            Follow(part, change.Snapshot, stoppingToken);
        }
    }

    private void Follow(Part part, CustomResourceSnapshot snapshot, CancellationToken stopping)
    {
        // its own address: of replicas the one behind the proxy that they share
        part.Url = snapshot.EnvironmentVariables.FirstOrDefault(variable => variable.Name == "ASPNETCORE_URLS")?.Value
            ?? snapshot.Urls.FirstOrDefault(url => !url.IsInternal)?.Url ?? part.Url;
        var state = snapshot.State?.Text;
        if (state == KnownResourceStates.Stopping) part.StopWanted = true;
        else if (state == KnownResourceStates.Running && part.Probing is null && snapshot.Properties.FirstOrDefault(property => property.Name == "executable.pid")?.Value is int and > 0 and var pid)
        {
            part.StopWanted = false;
            if (part.Failures == 0) _progress = Stopwatch.GetTimestamp();
            part.Pid = part.StartedPid = pid;
            part.Probing = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            Change(part, PartState.Starting);
            _ = ProbeAsync(part, part.Probing.Token);
        }
        else if (state == KnownResourceStates.Starting) Change(part, PartState.Starting);
        else if (KnownResourceStates.TerminalStates.Contains(state) && part.State is not (PartState.Restarting or PartState.Failed or PartState.Stopped))
            Ended(part, state == KnownResourceStates.FailedToStart ? "cannot start" : $"ended with code {snapshot.ExitCode}", stopping);
    }

    private void Ended(Part part, string reason, CancellationToken stopping)
    {
        part.Probing?.Cancel();
        part.Probing = null;
        part.Pid = part.StartedPid = null;
        part.Failures++;
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
        report.Line(part, $"{part.Title} {reason}; starting it again in {pause.TotalMilliseconds:0} ms");
        await Task.Delay(pause, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (stopping.IsCancellationRequested || part.StopWanted || part.State != PartState.Restarting) return; // or somebody has started it meanwhile
        Change(part, PartState.Starting);
        try
        {
            var result = await commands.ExecuteCommandAsync(part.Id, KnownResourceCommands.StartCommand, stopping);
            // somebody stopped the shop, or the part was seen to start or to fail meanwhile; else the answer says why it cannot start
            if (!result.Success && !stopping.IsCancellationRequested && part is { State: PartState.Starting, Probing: null }) Ended(part, $"cannot start: {result.Message}", stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested) { }
    }

    private async Task ProbeAsync(Part part, CancellationToken cancellationToken)
    {
        for (long started = Stopwatch.GetTimestamp(), since = started; ;)
        {
            var healthy = await IsHealthyAsync(part, cancellationToken);
            if (cancellationToken.IsCancellationRequested) return;
            if (!healthy) since = Stopwatch.GetTimestamp();
            else if (Stopwatch.GetElapsedTime(since) >= patience.HealthyAgainAfter) part.Failures = 0;

            if (healthy && part.State != PartState.Healthy)
            {
                part.Pid = part.Resource is IHasProcess { ProcessId: { } own } ? own : part.StartedPid;
                if (!part.WasHealthy) _progress = Stopwatch.GetTimestamp();
                Change(part, PartState.Healthy);
            }
            else if (!healthy && part.WasHealthy) Change(part, PartState.Unhealthy);

            // parts wait for those before them: the first one is what keeps the others, and is the one to be named
            if (Stopwatch.GetElapsedTime(_progress) > patience.StartDeadline && report.Parts.FirstOrDefault(other => !other.WasHealthy) is { } late)
                Fail(late, "was not healthy in time");

            var pause = healthy ? HealthyInterval : TimeSpan.FromTicks(Math.Clamp(Stopwatch.GetElapsedTime(started).Ticks / 10, ShortestInterval.Ticks, HealthyInterval.Ticks));
            await Task.Delay(pause, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task<bool> IsHealthyAsync(Part part, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(ProbeTimeout);
        try
        {
            return await part.Probe.AskAsync(part.Url ?? "", timeout.Token);
        }
        catch (Exception)
        {
            return false; // whatever keeps it from answering: the process's own log tells
        }
    }

    private void Fail(Part part, string reason)
    {
        if (Interlocked.Exchange(ref _failed, 1) == 1) return;
        Change(part, PartState.Failed);
        report.Failed(part.Title, reason, part.LastLines);
    }

    private void Change(Part part, PartState state)
    {
        part.State = state;
        report.Changed(part);
        part.Probe.Healthy = report.Parts.All(other => other.Resource != part.Resource || other.State == PartState.Healthy);
    }

    private async Task CopyLogAsync(Part part, CancellationToken cancellationToken)
    {
        await foreach (var lines in loggers.WatchAsync(part.Id).WithCancellation(cancellationToken))
            foreach (var line in lines) report.Line(part, Colour().Replace(line.Content, ""));
    }

    /// <summary>The colours that Aspire has .NET's processes write, for its dashboard.</summary>
    [GeneratedRegex(@"\e\[[\d;]*m")]
    private static partial Regex Colour();
}
