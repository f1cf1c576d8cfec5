using System.Diagnostics;

namespace Shop.KafkaBroker.Tests;

/// <summary>The broker as an executable, for what only a process can show: being killed, and clients in other languages.</summary>
internal sealed class BrokerProcess : IAsyncDisposable
{
    private readonly Process _process;

    private BrokerProcess(Process process, string bootstrapServers)
    {
        _process = process;
        BootstrapServers = bootstrapServers;
    }

    public string BootstrapServers { get; }

    public int Id => _process.Id;

    /// <summary>Starts a broker and waits until it says that it is ready.</summary>
    public static async Task<BrokerProcess> StartAsync(string data, int port = 0, params string[] options)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "EmbeddedKafka.dll"), "--data", data, "--port", port.ToString(), .. options])
            start.ArgumentList.Add(argument);
        var process = Process.Start(start)!;
        const string Ready = "EmbeddedKafka is ready: ";
        using var deadline = new CancellationTokenSource(Eventually.DefaultDeadline);
        while (await process.StandardOutput.ReadLineAsync(deadline.Token) is { } line)
        {
            if (!line.StartsWith(Ready, StringComparison.Ordinal))
                continue;
            _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None); // keeps the pipe from filling up
            return new(process, line[Ready.Length..]);
        }
        throw new InvalidOperationException($"The broker ended with {process.ExitCode} before it was ready.");
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM; returns the exit code.</summary>
    public async Task<int> TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString()]);
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await KillAsync();
        _process.Dispose();
    }
}
