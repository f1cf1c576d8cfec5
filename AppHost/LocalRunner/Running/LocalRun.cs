using System.Diagnostics;
using System.Runtime.InteropServices;
using Aspire.Hosting.ApplicationModel;
using Shop.LocalRunner.Processes;

namespace Shop.LocalRunner.Running;

/// <summary>A run of the model: starts the parts in their order, keeps them running, and stops them in the reverse order.</summary>
internal sealed class LocalRun
{
    private readonly RunPlan _plan;
    private readonly string _data;
    private readonly ShopConsole _console;
    private readonly StateFile _stateFile;
    private readonly List<Running> _running = [];
    private readonly Stopwatch _sinceStart = Stopwatch.StartNew();

    private LocalRun(RunPlan plan, string data, Patience patience, TextWriter output)
    {
        _plan = plan;
        _data = data;
        _console = new ShopConsole(output, [.. plan.Parts.Select(part => part.Title)]);
        _stateFile = new StateFile(Path.Combine(data, "state.json"));
        foreach (var part in plan.Parts) _running.Add(new Running(part, this, patience));
    }

    /// <summary>Runs the model until cancelled, or a SIGINT, SIGTERM or SIGHUP.</summary>
    /// <returns>The exit code: 0, or 1 when a part did not start.</returns>
    public static Task<int> RunAsync(IReadOnlyList<IResource> resources, RunnerSettings settings, CancellationToken cancellationToken) =>
        RunAsync(settings.DataDirectory, () => new LaunchPlan(resources, settings).Plan, new Patience(), Console.Out, cancellationToken);

    /// <summary>The same with a plan of one's own.</summary>
    /// <param name="data">The data directory; absolute.</param>
    /// <param name="plan">Makes the plan, once nobody else runs on the data directory.</param>
    /// <param name="patience">How patiently parts are started.</param>
    /// <param name="output">Where messages and logs are written.</param>
    /// <param name="cancellationToken">Stops everything.</param>
    public static async Task<int> RunAsync(string data, Func<RunPlan> plan, Patience patience, TextWriter output, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await using var lockFile = await TakeLockAsync(Path.Combine(data, "lock"), cancellationToken);
        if (lockFile is null)
        {
            output.WriteLine($"This shop is already running (its data is in {data}).");
            return 0;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var interrupt = OnSignal(PosixSignal.SIGINT, stop);
        using var terminate = OnSignal(PosixSignal.SIGTERM, stop);
        using var hangUp = OnSignal(PosixSignal.SIGHUP, stop);
        try
        {
            await ProcessGuard.StopLeftoversAsync(data, stop.Token);
            await using var guard = ProcessGuard.Start(data);
            return await new LocalRun(plan(), data, patience, output).RunAsync(stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 0;
        }
    }

    private static async Task<FileStream?> TakeLockAsync(string file, CancellationToken cancellationToken)
    {
        // a runner that was just killed still has the lock for a moment, until the kernel has taken it apart
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None); // an flock
            }
            catch (IOException) when (attempt < 5)
            {
                await Task.Delay(100, cancellationToken);
            }
            catch (IOException)
            {
                return null;
            }
        }
    }

    private static PosixSignalRegistration OnSignal(PosixSignal signal, CancellationTokenSource stop) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = !stop.IsCancellationRequested; // the second Ctrl-C ends the runner at once; the guard stops the rest
        stop.Cancel();
    });

    private async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            WriteState();
            var externals = _plan.Externals.ToDictionary(external => external.Name, external => external.Prepare(cancellationToken));
            foreach (var running in _running) running.Start(DependenciesOf(running.Supervisor.Part, externals));
            var started = _running.Select(running => running.Supervisor.Healthy).Concat(externals.Values).ToList();
            while (started.Count > 0)
            {
                var next = await Task.WhenAny(started).WaitAsync(cancellationToken);
                await next;
                started.Remove(next);
            }

            _console.Message($"The shop takes orders at {_plan.Url} ({_sinceStart.Elapsed.TotalSeconds:0.0} s)");
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            _console.Message("Stopping the shop");
            return 0;
        }
        catch (PartFailedException failure)
        {
            _console.Message($"{failure.Message}; its last lines:");
            foreach (var line in failure.LastLines) _console.Message($"  {failure.Part} | {line}");
            _console.Message($"The shop did not start: {failure.Message}. The whole log: {Path.Combine(_data, "logs", failure.Part + ".log")}");
            return 1;
        }
        finally
        {
            await Task.WhenAll(_running.Select(running => running.StopAsync()));
            foreach (var running in _running) running.Dispose();
            _stateFile.Delete();
        }
    }

    private Task DependenciesOf(Part part, Dictionary<string, Task> externals) => Task.WhenAll(part.WaitsFor.SelectMany(name =>
        externals.TryGetValue(name, out var external)
            ? [external]
            : _running.Where(other => other.Supervisor.Part.Name == name).Select(other => other.Supervisor.Healthy)));

    private void WriteState() => _stateFile.Write(() => new ShopState(_plan.Url, Environment.ProcessId,
    [
        .. _plan.Externals.Select(external => new PartStatus(external.Name, 1, null, external.Url, "external", 0)),
        .. _running.Select(running => running.Supervisor).Select(part => new PartStatus(
            part.Part.Name, part.Part.Instance, part.ProcessId, part.Part.Url, part.State.ToString().ToLowerInvariant(), part.Restarts)),
    ]));

    private void Changed(PartSupervisor part)
    {
        WriteState();
        if (part.State == PartState.Healthy && !part.Healthy.IsCompleted)
            _console.Message($"{part.Part.Title} is healthy at {part.Part.Url} ({_sinceStart.Elapsed.TotalSeconds:0.0} s)");
    }

    /// <summary>A part with its log and the means to stop it.</summary>
    private sealed class Running : IDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly LocalRun _run;
        private readonly PartLog _log;
        private readonly Lazy<Task> _stopping;
        private Task _work = Task.CompletedTask;

        public Running(Part part, LocalRun run, Patience patience)
        {
            _run = run;
            _log = new PartLog(Path.Combine(run._data, "logs"), part.Title);
            _stopping = new Lazy<Task>(StopInOrderAsync);
            Supervisor = new PartSupervisor(part, run._data, Write, run.Changed, patience, TimeProvider.System);
        }

        public PartSupervisor Supervisor { get; }

        public void Start(Task dependencies) => _work = Supervisor.RunAsync(dependencies, _stop.Token);

        public Task StopAsync() => _stopping.Value;

        public void Dispose()
        {
            _stop.Dispose();
            _log.Dispose();
        }

        private async Task StopInOrderAsync()
        {
            // first those that need this one
            await Task.WhenAll(_run._running.Where(other => other.Supervisor.Part.WaitsFor.Contains(Supervisor.Part.Name)).Select(other => other.StopAsync()));
            await _stop.CancelAsync();
            await _work;
        }

        private void Write(string line)
        {
            _log.Write(line);
            _run._console.Line(Supervisor.Part.Title, line);
        }
    }
}
