using System.Diagnostics;
using Shop.AppHost.Running;

namespace Shop.Testing.Processes;

/// <summary>
/// A running child process in a session of its own, so that a Ctrl-C in the terminal reaches the runner alone, which
/// then stops its children in order. Its environment names its owner for <see cref="ProcessGuard"/>.
/// </summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private static readonly TimeSpan OutputGrace = TimeSpan.FromSeconds(1);

    private static readonly string? SetSid = Programs.Find("setsid");
    private readonly Process _process;
    private readonly TaskCompletionSource<int> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ChildProcess(Process process) => _process = process;

    /// <summary>The process id.</summary>
    public int Id { get; private set; }

    /// <summary>Ends when the process does, with its exit code (128 + n after signal n).</summary>
    public Task<int> Exited => _exited.Task;

    /// <summary>Starts a program.</summary>
    /// <param name="spec">The program.</param>
    /// <param name="owner">Who stops it when the runner dies, see <see cref="ProcessGuard"/>.</param>
    /// <param name="onLine">Called with each line the program writes to its standard output or error.</param>
    /// <exception cref="System.ComponentModel.Win32Exception">The program is not there or cannot be executed.</exception>
    public static ChildProcess Start(ProcessSpec spec, string owner, Action<string> onLine)
    {
        var start = new ProcessStartInfo(SetSid ?? spec.FileName)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = spec.WorkingDirectory ?? "",
        };
        if (SetSid is not null) start.ArgumentList.Add(spec.FileName);
        foreach (var argument in spec.Arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in spec.Environment) start.Environment[name] = value;
        start.Environment[ProcessGuard.OwnerVariable] = owner;
        start.Environment[ProcessGuard.RunnerVariable] = ProcessGuard.Runner;

        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        var child = new ChildProcess(process);
        process.OutputDataReceived += (_, e) => { if (e.Data is not null) onLine(e.Data); };
        process.ErrorDataReceived += (_, e) => { if (e.Data is not null) onLine(e.Data); };
        // the event, not WaitForExitAsync: that also waits for the output's end, which a grandchild may hold open
        process.Exited += (_, _) => child._exited.TrySetResult(process.ExitCode);
        process.Start();
        child.Id = process.Id;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
        return child;
    }

    /// <summary>Sends SIGKILL to the process and everything it started in its session.</summary>
    public void Kill()
    {
        if (!Exited.IsCompleted) Signals.Send(SetSid is null ? Id : -Id, Signals.Kill);
    }

    /// <summary>Asks the process to stop, and kills it when it does not.</summary>
    /// <param name="grace">How long it may take.</param>
    public async Task StopAsync(TimeSpan grace)
    {
        if (Exited.IsCompleted) return;
        Signals.Send(Id, Signals.Terminate);
        try
        {
            await Exited.WaitAsync(grace);
        }
        catch (TimeoutException)
        {
            Kill();
            await Exited;
        }
    }

    /// <summary>Kills the process if it still runs, and hands over what is left of its output.</summary>
    public async ValueTask DisposeAsync()
    {
        Kill();
        await Exited;
        // its last lines say why it ended; but a grandchild may hold the pipe open for as long as it likes
        using var grace = new CancellationTokenSource(OutputGrace);
        await _process.WaitForExitAsync(grace.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _process.Dispose();
    }
}
