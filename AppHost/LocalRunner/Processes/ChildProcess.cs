using System.Diagnostics;

namespace Shop.LocalRunner.Processes;

/// <summary>
/// A running child process in a session of its own, so that a Ctrl-C in the terminal reaches the runner alone, which
/// then stops its children in order. Its environment names its owner for <see cref="ProcessGuard"/>.
/// </summary>
public sealed class ChildProcess : IAsyncDisposable
{
    internal const string OwnerVariable = "SHOP_RUNNER_OWNER";
    internal const string RunnerVariable = "SHOP_RUNNER";
    internal const string StopVariable = "SHOP_RUNNER_STOP";

    /// <summary>This process among all that ever run for an owner.</summary>
    internal static readonly string Runner = Guid.CreateVersion7().ToString("N");

    private static readonly TimeSpan OutputGrace = TimeSpan.FromSeconds(1);

    private static readonly string? SetSid = Programs.Find("setsid");
    private readonly Process _process;
    private readonly int _stopSignal;
    private readonly TaskCompletionSource<int> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ChildProcess(Process process, int stopSignal)
    {
        _process = process;
        _stopSignal = stopSignal;
    }

    /// <summary>The process id.</summary>
    public int Id { get; private set; }

    /// <summary>Ends when the process does, with its exit code (128 + n after signal n).</summary>
    public Task<int> Exited => _exited.Task;

    /// <summary>Starts a program.</summary>
    /// <param name="spec">The program.</param>
    /// <param name="owner">Who stops it when the runner dies, see <see cref="ProcessGuard"/>.</param>
    /// <param name="onLine">Called with each line the program writes to its standard output or error.</param>
    /// <param name="input">What the program reads on its standard input, which then ends.</param>
    /// <exception cref="System.ComponentModel.Win32Exception">The program is not there or cannot be executed.</exception>
    public static ChildProcess Start(ProcessSpec spec, string owner, Action<string> onLine, string? input = null)
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
        start.Environment[OwnerVariable] = owner;
        start.Environment[RunnerVariable] = Runner;
        start.Environment[StopVariable] = spec.StopSignal == Signals.Interrupt ? "INT" : null;

        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        var child = new ChildProcess(process, spec.StopSignal);
        process.OutputDataReceived += (_, e) => { if (e.Data is not null) onLine(e.Data); };
        process.ErrorDataReceived += (_, e) => { if (e.Data is not null) onLine(e.Data); };
        // the event, not WaitForExitAsync: that also waits for the output's end, which a grandchild may hold open
        process.Exited += (_, _) => child._exited.TrySetResult(process.ExitCode);
        process.Start();
        child.Id = process.Id;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            if (input is not null) process.StandardInput.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException) { } // it ended without reading; its exit code says why

        return child;
    }

    /// <summary>Runs a program to its end.</summary>
    /// <param name="spec">The program.</param>
    /// <param name="owner">Who stops it when the runner dies.</param>
    /// <param name="input">What it reads on its standard input.</param>
    /// <param name="cancellationToken">Kills it.</param>
    /// <returns>What it wrote.</returns>
    /// <exception cref="InvalidOperationException">It ended with another code than 0; the message has its output.</exception>
    public static async Task<string> RunAsync(ProcessSpec spec, string owner, string? input, CancellationToken cancellationToken)
    {
        var lines = new LogTail(100);
        await using var child = Start(spec, owner, lines.Add, input);
        await child.Exited.WaitAsync(cancellationToken);
        await child._process.WaitForExitAsync(cancellationToken);
        return child._process.ExitCode == 0
            ? lines.ToString()
            : throw new InvalidOperationException($"{Path.GetFileName(spec.FileName)} ended with code {child._process.ExitCode}:\n{lines}");
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
        Signals.Send(Id, _stopSignal);
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
