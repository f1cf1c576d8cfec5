using Microsoft.Extensions.Logging;

namespace Shop.KafkaBroker;

/// <summary>
/// A single-node Kafka-protocol broker within this process, for development and tests:
/// <code>await using var kafka = await EmbeddedKafka.StartAsync();</code>
/// </summary>
public sealed partial class EmbeddedKafka : IAsyncDisposable
{
    private readonly Broker _broker;
    private readonly Listener _listener;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _housekeeping;
    private readonly string? _temporaryDirectory;
    private bool _disposed;

    private EmbeddedKafka(Broker broker, Listener listener, string? temporaryDirectory)
    {
        _broker = broker;
        _listener = listener;
        _temporaryDirectory = temporaryDirectory;
        _housekeeping = Task.WhenAll(
            Task.Run(() => RepeatAsync(broker.Options.FlushInterval, broker.Flush)),
            Task.Run(() => RepeatAsync(broker.Options.CleanInterval, broker.Clean)));
    }

    /// <summary>What clients take as <c>bootstrap.servers</c>.</summary>
    public string BootstrapServers => $"{_broker.Options.AdvertisedHost}:{_broker.Port}";

    /// <summary>The port it listens on.</summary>
    public int Port => _broker.Port;

    /// <summary>Starts a broker, and returns when clients can connect.</summary>
    /// <param name="options">How it runs; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <exception cref="IOException">The data directory is in use by another broker, or cannot be written.</exception>
    /// <exception cref="InvalidDataException">A file in the data directory is damaged; nothing was changed.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The port is taken.</exception>
    public static Task<EmbeddedKafka> StartAsync(EmbeddedKafkaOptions? options = null, CancellationToken cancellationToken = default) => Task.Run(() =>
    {
        options ??= new();
        var temporary = options.DataDirectory is null ? Directory.CreateTempSubdirectory("embedded-kafka-").FullName : null;
        var broker = new Broker(options.DataDirectory ?? temporary!, options);
        try
        {
            return new EmbeddedKafka(broker, new(broker), temporary);
        }
        catch
        {
            broker.Dispose();
            if (temporary is not null)
                Directory.Delete(temporary, recursive: true);
            throw;
        }
    }, cancellationToken);

    /// <summary>Stops the broker: closes the connections, then the log, so that the next start need not recover.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        await _stopping.CancelAsync();
        await _listener.DisposeAsync();
        await _housekeeping;
        _broker.Dispose();
        _stopping.Dispose();
        if (_temporaryDirectory is not null)
            Directory.Delete(_temporaryDirectory, recursive: true);
    }

    private async Task RepeatAsync(TimeSpan interval, Action work)
    {
        using var timer = new PeriodicTimer(interval, _broker.Options.TimeProvider);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
                Try(work);
        }
        catch (OperationCanceledException)
        {
            // stopping
        }
    }

    private void Try(Action work)
    {
        try
        {
            work();
        }
        catch (Exception failure)
        {
            LogHousekeepingFailed(_broker.Logger, failure);
        }
    }

    [LoggerMessage(EventName = "HousekeepingFailed", Level = LogLevel.Error, Message = "Flushing or cleaning the log failed; it is tried again")]
    private static partial void LogHousekeepingFailed(ILogger logger, Exception failure);
}
