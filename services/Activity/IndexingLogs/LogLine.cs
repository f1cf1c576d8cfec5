using System.Text.Json;
using Shop.Activity.ReadingEvents;
using Shop.Contracts;
using Shop.Messaging.Consuming;
using Shop.Messaging.Events;

namespace Shop.Activity.IndexingLogs;

/// <summary>A line of a service's log, as it is kept.</summary>
/// <param name="WrittenAt">When it was written.</param>
/// <param name="Service">The service.</param>
/// <param name="Instance">Which of its instances.</param>
/// <param name="Level">From 0 (trace) to 5 (critical).</param>
/// <param name="EventName">The stable name of what is said.</param>
/// <param name="Category">What of the service wrote it.</param>
/// <param name="Message">The line.</param>
/// <param name="Fields">What its placeholders stood for, as JSON.</param>
/// <param name="Exception">The exception that was logged.</param>
/// <param name="TraceId">The trace it was written in.</param>
/// <param name="SpanId">The span it was written in.</param>
/// <param name="OrderId">The order it is about, where one of its fields names it.</param>
/// <param name="Dropped">Lines that were left out before it.</param>
/// <param name="EventId">The event's id, by which a line that comes again is known; null where an earlier version kept it.</param>
internal sealed record LogLine(DateTimeOffset WrittenAt, string Service, string Instance, int Level, string? EventName, string Category, string Message,
    string Fields, string? Exception, string? TraceId, string? SpanId, Guid? OrderId, long Dropped, Guid? EventId)
{
    /// <summary>Names are cut where an index would not take them.</summary>
    private const int LongestName = 200;

    public const int Error = 4;

    /// <summary>Levels by their number.</summary>
    public static readonly IReadOnlyList<string> Levels = ["trace", "debug", "information", "warning", "error", "critical"];

    /// <summary>Fields in which services name an order.</summary>
    private static readonly string[] OrderFields = ["OrderId", "Order", "Key"];

    /// <summary>Given by the database in the order of writing.</summary>
    public long Position { get; private init; }

    /// <summary>The line that a record is; null where it is none.</summary>
    public static LogLine? From(ConsumedRecord record)
    {
        LogWritten? line;
        try
        {
            if (record.Body is null || !Topics.Logs.TryGetEvent(record.Event.Type, out _))
                return null;
            line = JsonSerializer.Deserialize(record.Body, ContractsJson.Default.LogWritten);
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException)
        {
            // whoever writes here, its lines do not hold up anybody else's
            return null;
        }
        if (line is not { Service: not null, Message: not null } || LevelOf(line.Level) is not { } level)
            return null;
        var fields = new Dictionary<string, string>();
        foreach (var (name, value) in (line.Fields ?? new Dictionary<string, string>()).Where(field => field.Value is not null))
            fields[StorableText.Of(name)] = StorableText.Of(value);
        return new(line.WrittenAt.ToUniversalTime(), Name(line.Service)!, Name(line.Instance) ?? "", level, Name(line.EventName), Name(line.Category) ?? "", StorableText.Of(line.Message),
            JsonSerializer.Serialize(fields, ActivityJson.Default.DictionaryStringString), line.Exception is null ? null : StorableText.Of(line.Exception),
            TraceIds.Parse(line.TraceId), Name(line.SpanId), OrderOf(fields), line.Dropped, record.Event.Id);
    }

    /// <summary>A level's number; null where there is no such level.</summary>
    public static int? LevelOf(string? level)
    {
        for (var i = 0; i < Levels.Count; i++)
        {
            if (string.Equals(Levels[i], level, StringComparison.OrdinalIgnoreCase))
                return i;
        }
        return null;
    }

    private static Guid? OrderOf(Dictionary<string, string> fields) =>
        OrderFields.Select(name => fields.TryGetValue(name, out var value) && Guid.TryParse(value, out var order) ? order : (Guid?)null).FirstOrDefault(order => order is not null);

    private static string? Name(string? name) => name is null ? null : StorableText.Of(name, LongestName);
}
