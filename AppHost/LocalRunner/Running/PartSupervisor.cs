using Shop.LocalRunner.Processes;

namespace Shop.LocalRunner.Running;

/// <summary>How patiently a part is started and started again.</summary>
internal sealed record Patience
{
    /// <summary>The pause before the first restart; it doubles with each further one.</summary>
    public TimeSpan FirstBackoff { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest pause.</summary>
    public TimeSpan LongestBackoff { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a part has to be healthy before the pauses begin anew.</summary>
    public TimeSpan HealthyAgainAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a part may take until it is healthy for the first time, its first restarts included.</summary>
    public TimeSpan StartDeadline { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>How many times a part may end before it was ever healthy.</summary>
    public int StartAttempts { get; init; } = 4;

    /// <summary>The interval of health checks while a part starts; it grows to a tenth of the time waited, up to <see cref="HealthyPoll"/>.</summary>
    public TimeSpan StartingPoll { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The interval of health checks of a healthy part.</summary>
    public TimeSpan HealthyPoll { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>
/// Starts a part, watches its health, and starts it again with backoff when it ends, as systemd or Kubernetes would. A part that is
/// merely unhealthy is left alone: readiness is about its dependencies, and killing it would not bring them back.
/// </summary>
internal sealed class PartSupervisor(Part part, string owner, Action<string> onLine, Action<PartSupervisor> onChange, Patience patience, TimeProvider time)
{
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(8);
    private readonly TaskCompletionSource _healthy = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly LogTail _tail = new(25);
    private long _healthySince;

    /// <summary>The part.</summary>
    public Part Part => part;

    /// <summary>Where the part stands.</summary>
    public PartState State { get; private set; } = PartState.Waiting;

    /// <summary>The running process's id; null while there is none.</summary>
    public int? ProcessId { get; private set; }

    /// <summary>How many times it was started again after it had ended.</summary>
    public int Restarts { get; private set; }

    /// <summary>Ends when the part is healthy for the first time; fails with <see cref="PartFailedException"/> when it cannot become so.</summary>
    public Task Healthy => _healthy.Task;

    /// <summary>Runs the part until cancelled, then stops its process.</summary>
    /// <param name="dependencies">Ends when the part may start.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task RunAsync(Task dependencies, CancellationToken cancellationToken)
    {
        try
        {
            await dependencies.WaitAsync(cancellationToken);
            var deadline = time.GetTimestamp() + (long)(patience.StartDeadline.TotalSeconds * time.TimestampFrequency);
            var failures = 0;
            while (true)
            {
                Change(PartState.Starting, null);
                _healthySince = 0;
                var reason = await RunOnceOrSayWhyNotAsync(deadline, cancellationToken);
                if (_healthySince != 0 && time.GetElapsedTime(_healthySince) >= patience.HealthyAgainAfter) failures = 0;
                failures++;
                if (!_healthy.Task.IsCompleted && (failures >= patience.StartAttempts || time.GetTimestamp() >= deadline))
                    throw new PartFailedException(part.Title, reason, _tail.Lines());

                var doubled = Math.Pow(2, Math.Min(failures - 1, 10)) * patience.FirstBackoff;
                var backoff = doubled < patience.LongestBackoff ? doubled : patience.LongestBackoff;
                Restarts++;
                Change(PartState.Restarting, null);
                onLine($"{part.Title} {reason}; starting it again in {backoff.TotalMilliseconds:0} ms");
                await Task.Delay(backoff, time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            _healthy.TrySetCanceled(cancellationToken);
            Change(PartState.Stopped, null);
        }
        catch (Exception failure)
        {
            Change(PartState.Failed, null);
            _healthy.TrySetException(failure as PartFailedException ?? new PartFailedException(part.Title, $"cannot start: {failure.Message}", _tail.Lines()));
        }
    }

    /// <summary>What keeps a part from being started the first time, PostgreSQL not installed for one, is thrown: it will not go away.</summary>
    private async Task<string> RunOnceOrSayWhyNotAsync(long deadline, CancellationToken cancellationToken)
    {
        try
        {
            return await RunOnceAsync(deadline, cancellationToken);
        }
        catch (Exception failure) when (failure is not OperationCanceledException && _healthy.Task.IsCompleted)
        {
            return $"cannot start: {failure.Message}";
        }
    }

    private async Task<string> RunOnceAsync(long deadline, CancellationToken cancellationToken)
    {
        var command = await part.Command(cancellationToken);
        await using var process = ChildProcess.Start(command, owner, line => { _tail.Add(line); onLine(line); });
        Change(PartState.Starting, process.Id);
        var launched = time.GetTimestamp();
        try
        {
            while (!process.Exited.IsCompleted)
            {
                var ready = await ProbeAsync(cancellationToken);
                if (process.Exited.IsCompleted) break;
                if (ready) await BecomeHealthyAsync(process.Id, cancellationToken);
                else if (State == PartState.Healthy) Change(PartState.Unhealthy, process.Id);
                else if (!_healthy.Task.IsCompleted && time.GetTimestamp() >= deadline) return "was not healthy in time";
                var pause = State == PartState.Healthy ? patience.HealthyPoll : StartingPause(time.GetElapsedTime(launched));
                await Task.WhenAny(process.Exited, Task.Delay(pause, time, cancellationToken));
                cancellationToken.ThrowIfCancellationRequested();
            }

            return $"ended with code {await process.Exited}";
        }
        finally
        {
            if (cancellationToken.IsCancellationRequested) await process.StopAsync(StopGrace);
        }
    }

    private TimeSpan StartingPause(TimeSpan waited)
    {
        var seconds = Math.Clamp(waited.TotalSeconds / 10, patience.StartingPoll.TotalSeconds, patience.HealthyPoll.TotalSeconds);
        return TimeSpan.FromSeconds(seconds);
    }

    private async Task BecomeHealthyAsync(int processId, CancellationToken cancellationToken)
    {
        if (State == PartState.Healthy) return;
        if (!_healthy.Task.IsCompleted) await part.WhenFirstReady(cancellationToken);
        _healthySince = time.GetTimestamp();
        Change(PartState.Healthy, processId);
        _healthy.TrySetResult();
    }

    private async Task<bool> ProbeAsync(CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(5));
        try
        {
            return await part.Probe(timeout.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private void Change(PartState state, int? processId)
    {
        if (State == state && ProcessId == processId) return;
        State = state;
        ProcessId = processId;
        onChange(this);
    }
}
