using System.Diagnostics;

namespace Shop.Benchmarks.Broker;

/// <summary>EmbeddedKafka as an executable, as the AppHost runs it.</summary>
internal sealed class EmbeddedKafkaProcess : IAsyncDisposable
{
    private const string Ready = "EmbeddedKafka is ready: ";
    private readonly Process _process;

    private EmbeddedKafkaProcess(Process process, string bootstrapServers, TimeSpan startedAfter)
    {
        _process = process;
        BootstrapServers = bootstrapServers;
        StartedAfter = startedAfter;
    }

    public string BootstrapServers { get; }

    public int ProcessId => _process.Id;

    /// <summary>From the start of the process until it takes connections.</summary>
    public TimeSpan StartedAfter { get; }

    /// <summary>Its resident memory.</summary>
    public double ResidentMebibytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64 / 1024.0 / 1024.0;
        }
    }

    public static async Task<EmbeddedKafkaProcess> StartAsync(string directory, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var process = Process.Start(new ProcessStartInfo("dotnet",
            [Path.Combine(AppContext.BaseDirectory, "EmbeddedKafka.dll"), "--data", directory, "--port", "0"])
        { RedirectStandardOutput = true })!;
        while (await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            if (!line.StartsWith(Ready, StringComparison.Ordinal))
                continue;
            var started = watch.Elapsed;
            // what it says later is read, so that it never waits for a reader
            _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
            return new(process, line[Ready.Length..].Trim(), started);
        }
        throw new InvalidOperationException("EmbeddedKafka did not start");
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
