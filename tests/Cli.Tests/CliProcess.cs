using System.Collections.Concurrent;
using System.Diagnostics;
using Shop.Testing;

namespace Shop.Cli.Tests;

/// <summary>The program as a person runs it, with its output on a pipe.</summary>
internal sealed class CliProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new(), _errors = new();

    private CliProcess(ProcessStartInfo start)
    {
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Add(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Add(_errors, line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public static string Assembly { get; } = Path.Combine(AppContext.BaseDirectory, "Cli.dll");

    public IReadOnlyList<string> Output => [.. _output];

    public IReadOnlyList<string> Errors => [.. _errors];

    /// <summary>Starts it.</summary>
    /// <param name="kafka">The connection string <c>kafka</c>; empty for none.</param>
    /// <param name="data"><c>SHOP_DATA</c>, where a state may be.</param>
    /// <param name="arguments">Its arguments.</param>
    public static CliProcess Start(string kafka, string? data, params string[] arguments) => StartProgram("dotnet", kafka, data, [Assembly, .. arguments]);

    /// <summary>Starts a program that starts it.</summary>
    public static CliProcess StartProgram(string program, string kafka, string? data, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["ConnectionStrings__kafka"] = kafka;
        start.Environment["SHOP_DATA"] = data ?? "/nowhere";
        start.Environment["TZ"] = "UTC";
        return new(start);
    }

    /// <summary>Runs it until it ends by itself.</summary>
    public static async Task<(int Code, IReadOnlyList<string> Output, IReadOnlyList<string> Errors)> RunAsync(string kafka, params string[] arguments)
    {
        await using var process = Start(kafka, null, arguments);
        return (await process.ExitedAsync(), process.Output, process.Errors);
    }

    /// <summary>Its exit code, when it has ended and all its output is here.</summary>
    public async Task<int> ExitedAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Eventually.DefaultDeadline);
        return _process.ExitCode;
    }

    /// <summary>Asks it to end, as a Ctrl-C does, also where whoever runs the tests has interrupts ignored.</summary>
    public async Task<int> TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        return await ExitedAsync();
    }

    /// <summary>Returns as soon as it has written such a line.</summary>
    public Task WritesAsync(string part) => Eventually.BecomesTrueAsync(() => Task.FromResult(_output.Any(line => line.Contains(part))), what: $"it writes {part}");

    /// <summary>Returns as soon as it has written such a line of messages.</summary>
    public Task SaysAsync(string part) => Eventually.BecomesTrueAsync(() => Task.FromResult(_errors.Any(line => line.Contains(part))), what: $"it says {part}");

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static void Add(ConcurrentQueue<string> lines, string? line)
    {
        if (line is not null)
            lines.Enqueue(line);
    }
}
