namespace Shop.Contracts;

/// <summary>A service wrote a line to its log.</summary>
/// <param name="Service">The service, for example <c>orders</c>.</param>
/// <param name="Instance">Which of its instances: machine and process id.</param>
/// <param name="Level"><c>trace</c>, <c>debug</c>, <c>information</c>, <c>warning</c>, <c>error</c> or <c>critical</c>.</param>
/// <param name="EventName">The stable name of what is said, for example <c>RecordDeadLettered</c>; null where it has none.</param>
/// <param name="Category">What of the service wrote it.</param>
/// <param name="Message">The line.</param>
/// <param name="Fields">What the line's placeholders stood for, by name.</param>
/// <param name="Exception">The exception that was logged, with its stack.</param>
/// <param name="TraceId">The trace in which it was written (W3C Trace Context).</param>
/// <param name="SpanId">The span in which it was written.</param>
/// <param name="WrittenAt">When it was written.</param>
/// <param name="Dropped">Lines of this instance that were left out since the one before, because there were too many.</param>
public sealed record LogWritten(string Service, string Instance, string Level, string? EventName, string Category, string Message,
    IReadOnlyDictionary<string, string> Fields, string? Exception, string? TraceId, string? SpanId, DateTimeOffset WrittenAt, long Dropped);
