namespace Shop.Activity.IndexingLogs;

/// <summary>Errors of a service under one event name.</summary>
/// <param name="Service">The service.</param>
/// <param name="EventName">The event name; empty for lines that have none.</param>
/// <param name="BeganAt">When the first of those that are counted together was written.</param>
/// <param name="LastAt">When the last one was written.</param>
/// <param name="Errors">How many they are.</param>
/// <param name="AlarmId">The alarm that is raised about them; null where none is.</param>
internal sealed record ErrorRate(string Service, string EventName, DateTimeOffset BeganAt, DateTimeOffset LastAt, long Errors, Guid? AlarmId)
{
    /// <summary>Counts one more error: those that follow each other closely are counted together.</summary>
    public ErrorRate With(DateTimeOffset writtenAt, TimeSpan window) => writtenAt - LastAt > window && AlarmId is null
        ? this with { BeganAt = writtenAt, LastAt = writtenAt, Errors = 1 }
        : this with { LastAt = writtenAt > LastAt ? writtenAt : LastAt, Errors = Errors + 1 };

    /// <summary>Whether an alarm is to be raised now: there are enough errors, and they are not of yesterday.</summary>
    public bool IsToBeRaised(LogOptions options, DateTimeOffset now) => AlarmId is null && Errors >= options.AlarmErrors && now - LastAt < options.AlarmWindow;

    /// <summary>Whether the alarm is over.</summary>
    public bool IsOver(LogOptions options, DateTimeOffset now) => AlarmId is not null && now - LastAt > options.ClearedAfter;
}
