using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Shop.KafkaBroker.Tests;

/// <summary>What a broker says in its log.</summary>
internal sealed class CollectedLog : ILogger
{
    private readonly ConcurrentQueue<string> _lines = [];

    /// <summary>Each event's name and message.</summary>
    public IReadOnlyCollection<string> Lines => _lines;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue($"{eventId.Name}: {formatter(state, exception)}");

    public void Clear() => _lines.Clear();
}
