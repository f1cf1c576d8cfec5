using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shop.Messaging;

namespace Shop.Benchmarks.Activity;

/// <summary>Services that do nothing but log, with the shop's own provider, queue and producer each.</summary>
internal sealed partial class LogLoad : IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    private readonly List<IHost> _services;
    private readonly MeterListener _meters = new();
    private long _dropped;

    private LogLoad(List<IHost> services)
    {
        _services = services;
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "shop.logs.dropped")
                listener.EnableMeasurementEvents(instrument);
        };
        _meters.SetMeasurementEventCallback<long>((_, lines, _, _) => Interlocked.Add(ref _dropped, lines));
        _meters.Start();
    }

    /// <summary>Lines that were logged.</summary>
    public long Logged { get; private set; }

    /// <summary>Lines that did not get to their topic.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Starts one for each database.</summary>
    public static async Task<LogLoad> StartAsync(string kafka, IEnumerable<string> databases, CancellationToken cancellationToken)
    {
        var services = new List<IHost>();
        foreach (var (database, i) in databases.Select((database, i) => (database, i)))
        {
            var builder = Host.CreateEmptyApplicationBuilder(null);
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { [$"ConnectionStrings:logging-{i}"] = database, ["ConnectionStrings:kafka"] = kafka });
            builder.AddMessaging<Messaging.AccountsDb>($"logging-{i}", messaging => messaging.ShipsLogs());
            services.Add(builder.Build());
            await services[^1].StartAsync(cancellationToken);
        }
        return new(services);
    }

    /// <summary>Logs so many lines a second, all services together.</summary>
    public async Task LogAsync(int perSecond, TimeSpan duration, CancellationToken cancellationToken)
    {
        var loggers = _services.Select(service => service.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Shop.Benchmarks")).ToArray();
        var (began, logged, total) = (TimeProvider.System.GetTimestamp(), 0, (int)(perSecond * duration.TotalSeconds));
        while (logged < total)
        {
            for (var due = Math.Min(total, (int)(TimeProvider.System.GetElapsedTime(began).TotalSeconds * perSecond)); logged < due; logged++)
                LineLogged(loggers[logged % loggers.Length], Guid.CreateVersion7(), logged % 1_000);
            await Task.Delay(Tick, cancellationToken);
        }
        Logged += total;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _services)
            await service.EndAsync();
        _meters.Dispose();
    }

    [LoggerMessage(EventName = "OrderWaited", Level = LogLevel.Warning, Message = "The order {OrderId} has waited for {Milliseconds} ms, which is longer than orders should")]
    private static partial void LineLogged(ILogger logger, Guid orderId, int milliseconds);
}
