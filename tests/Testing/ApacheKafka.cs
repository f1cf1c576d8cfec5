using System.Diagnostics;
using Shop.AppHost.Kafka;
using Shop.AppHost.Running;
using Shop.Testing.Processes;

namespace Shop.Testing;

/// <summary>
/// A single Apache Kafka node that runs as long as this object lives, and no longer than its process even when that is
/// killed: for tests, several side by side.
/// </summary>
public sealed class ApacheKafka : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromMinutes(10);
    private readonly ChildProcess _process;
    private readonly ProcessGuard _guard;

    private ApacheKafka(int port, ChildProcess process, ProcessGuard guard)
    {
        Port = port;
        _process = process;
        _guard = guard;
    }

    /// <summary>The distribution given by the environment variable KAFKA_HOME; null when it is not set.</summary>
    public static string? Home => Environment.GetEnvironmentVariable("KAFKA_HOME") is { Length: > 0 } home ? home : null;

    /// <summary>The clients' port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>The list of brokers for a client.</summary>
    public string BootstrapServers => $"127.0.0.1:{Port}";

    /// <summary>The Java process's id.</summary>
    public int ProcessId => _process.Id;

    /// <summary>Starts a node and returns when it answers clients.</summary>
    /// <param name="home">The distribution's directory, with <c>libs/</c>; see <see cref="Home"/>.</param>
    /// <param name="directory">Where its log is kept, made when it is not there; null for a temporary one, removed at the end.</param>
    /// <param name="onLine">Called with each line of the node's log.</param>
    /// <param name="settings">Further settings of the node, <c>name=value</c>, by the clients' port and the controller's.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <exception cref="InvalidOperationException">No Java, no Kafka at that place, or it does not start; the message has its last log lines.</exception>
    public static async Task<ApacheKafka> StartAsync(
        string home, string? directory = null, Action<string>? onLine = null, Func<int, int, string[]>? settings = null, CancellationToken cancellationToken = default)
    {
        var temporary = directory is null;
        var path = Path.GetFullPath(directory ?? Path.Combine(Path.GetTempPath(), $"shop-kafka-{Guid.CreateVersion7():N}"));
        if (!temporary) await ProcessGuard.StopLeftoversAsync(path, cancellationToken);
        var guard = ProcessGuard.Start(path, temporary ? path : null);
        try
        {
            var (port, controllerPort) = (Ports.Free(), Ports.Free());
            return new ApacheKafka(port, await StartServerAsync(ApacheKafkaNode.Run(home, path, port, controllerPort, settings?.Invoke(port, controllerPort) ?? []), port, path, onLine ?? (_ => { }), cancellationToken), guard);
        }
        catch
        {
            await guard.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the node, and removes its directory if it was temporary.</summary>
    public async ValueTask DisposeAsync()
    {
        await _process.StopAsync(TimeSpan.FromSeconds(10));
        await _process.DisposeAsync();
        await _guard.DisposeAsync();
    }

    private static async Task<ChildProcess> StartServerAsync(string[] command, int port, string owner, Action<string> onLine, CancellationToken cancellationToken)
    {
        var started = Stopwatch.StartNew();
        var tail = new LogTail(20);
        var process = ChildProcess.Start(new("/bin/sh", command), owner, line => { tail.Add(line); onLine(line); });
        while (!process.Exited.IsCompleted && started.Elapsed < StartDeadline && !cancellationToken.IsCancellationRequested)
        {
            if (await KafkaProbe.IsReadyAsync(port, cancellationToken) && !process.Exited.IsCompleted) return process;
            await Task.WhenAny(process.Exited, Task.Delay(50, cancellationToken));
        }

        await process.DisposeAsync();
        cancellationToken.ThrowIfCancellationRequested();
        throw new InvalidOperationException($"Apache Kafka did not start, after {started.Elapsed.TotalSeconds:0} s:\n{tail}");
    }
}
