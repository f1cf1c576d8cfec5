using System.Diagnostics;
using System.Text;

namespace Shop.KafkaBroker.Tests;

/// <summary>A client in another language, as a process of its own; stopped by its id when the test ends.</summary>
internal sealed class ClientProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _errors = new();
    private readonly List<string> _lines = [];

    private ClientProcess(Process process, Action<string>? onLine)
    {
        _process = process;
        _process.OutputDataReceived += (_, line) => Add(line.Data);
        _process.ErrorDataReceived += (_, line) => _errors.AppendLine(line.Data);
        if (onLine is not null)
        {
            _process.OutputDataReceived += (_, line) => onLine(line.Data ?? "");
            _process.ErrorDataReceived += (_, line) => onLine(line.Data ?? "");
        }
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>What it has printed so far.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    public static ClientProcess Start(string file, params IEnumerable<string> arguments) => StartIn(null, file, arguments);

    /// <summary>Starts a client in a directory; each line of its output and its errors is handed over as it comes.</summary>
    public static ClientProcess StartIn(string? directory, string file, IEnumerable<string> arguments, Action<string>? onLine = null)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory ?? "",
        };
        return new(Process.Start(start)!, onLine);
    }

    /// <summary>Runs a client to its end and returns what it printed; fails the test when it fails.</summary>
    public static async Task<IReadOnlyList<string>> RunAsync(string file, IEnumerable<string> arguments, string? input = null, string? directory = null)
    {
        await using var client = StartIn(directory, file, arguments);
        if (input is not null)
            await client._process.StandardInput.WriteAsync(input);
        client._process.StandardInput.Close();
        return await client.EndAsync();
    }

    /// <summary>Waits for its end and returns what it printed; fails the test when it fails.</summary>
    public async Task<IReadOnlyList<string>> EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Eventually.DefaultDeadline);
        Assert.True(_process.ExitCode == 0, $"{_process.StartInfo.FileName} {string.Join(' ', _process.StartInfo.ArgumentList)} ended with {_process.ExitCode}: {_errors}{string.Join('\n', Lines)}");
        return Lines;
    }

    /// <summary>Asks it to end (SIGTERM), so that it leaves its group.</summary>
    public async Task TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString()]);
        await _process.WaitForExitAsync().WaitAsync(Eventually.DefaultDeadline);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Add(string? line)
    {
        if (line is null)
            return;
        lock (_lines)
            _lines.Add(line);
    }
}
