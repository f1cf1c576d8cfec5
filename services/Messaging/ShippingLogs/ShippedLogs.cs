using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Shop.Messaging.Events;

namespace Shop.Messaging.ShippingLogs;

/// <summary>
/// Has what the service logs sent to the topic <c>logs</c> too, with its fields and its trace. What sends it writes nothing that is sent in turn,
/// so that a broker that is away is no reason for more lines.
/// </summary>
/// <param name="service">The service.</param>
/// <param name="lowest">Lines below this level are not sent; not by a filter of the log, which would take the place of those that silence categories.</param>
/// <param name="queue">Where lines wait.</param>
/// <param name="time">The clock.</param>
internal sealed class ShippedLogs(string service, LogLevel lowest, LogQueue queue, TimeProvider time) : ILoggerProvider
{
    /// <summary>What is longer is cut.</summary>
    private const int LongestMessage = 4_000, LongestField = 1_000, LongestException = 16_000, MostFields = 50;

    /// <summary>Categories whose lines are about sending lines.</summary>
    private static readonly string[] Own = [typeof(ShippedLogs).Namespace!, typeof(Kafka.KafkaLog).FullName!];

    private readonly ConcurrentDictionary<string, ILogger> _loggers = new();
    private readonly string _instance = string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}-{Environment.ProcessId}");

    private LogLevel Lowest => lowest;

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => _loggers.GetOrAdd(categoryName, category => new ShippedLog(this, category));

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static bool IsOwn(string category) => Array.Exists(Own, own => category.StartsWith(own, StringComparison.Ordinal));

    private void Write<TState>(string category, LogLevel level, EventId id, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var fields = new Dictionary<string, string>();
        if (state is IReadOnlyList<KeyValuePair<string, object?>> values)
        {
            foreach (var (name, value) in values)
            {
                if (name != "{OriginalFormat}" && value is not null && fields.Count < MostFields)
                    fields[StorableText.Of(name, LongestField)] = StorableText.Of(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "", LongestField);
            }
        }
        var trace = Activity.Current is { IdFormat: ActivityIdFormat.W3C } current ? current : null;
        queue.Add(new(service, _instance, level.ToString().ToLowerInvariant(), id.Name, category, StorableText.Of(formatter(state, exception), LongestMessage), fields,
            exception is null ? null : StorableText.Of(exception.ToString(), LongestException), trace?.TraceId.ToString(), trace?.SpanId.ToString(), time.GetUtcNow(), 0));
    }

    private sealed class ShippedLog(ShippedLogs logs, string category) : ILogger
    {
        private readonly bool _isOwn = IsOwn(category);

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => !_isOwn && logLevel >= logs.Lowest && logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                logs.Write(category, logLevel, eventId, state, exception, formatter);
        }
    }
}
