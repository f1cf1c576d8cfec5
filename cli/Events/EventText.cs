using System.Globalization;
using Shop.Contracts;
using Spectre.Console;

namespace Shop.Cli.Events;

/// <summary>Writes records for people: a line each, in columns, an event's name in the colour of the service that published it.</summary>
/// <param name="output">Where it is written.</param>
/// <param name="capabilities">Whether there are colours.</param>
/// <param name="width">The columns of the terminal, at which lines are cut; null where they are not.</param>
/// <param name="longestTopic">The length of the longest topic's name.</param>
/// <param name="clock">Tells today, and the local time.</param>
internal sealed class EventText(TextWriter output, AnsiCapabilities capabilities, int? width, int longestTopic, TimeProvider clock) : IEventWriter
{
    private const int NameWidth = 22, KeyWidth = 12, BodyLength = 160;

    private static readonly Dictionary<string, Style> Services = new()
    {
        ["orders"] = Color.Aqua,
        ["inventory"] = Color.Green,
        ["payments"] = Color.Yellow,
        ["activity"] = Color.Fuchsia,
        ["gateway"] = Color.Blue,
    };

    /// <summary>Topics on which a record without a body says that its key is gone.</summary>
    private static readonly HashSet<string> Compacted = [.. Topics.All.Where(topic => topic.Compacted).Select(topic => topic.Name)];

    private static readonly Style Dim = new(Color.Grey), Wrong = new(Color.Red), Plain = Style.Plain;

    private readonly AnsiWriter _writer = new(output, capabilities);
    private readonly int _longestTopic = longestTopic;
    private DateOnly _day = DateOnly.FromDateTime(clock.GetLocalNow().Date);
    private int _left;

    /// <inheritdoc/>
    public void Write(EventRecord record)
    {
        _left = width ?? int.MaxValue;
        var happenedAt = record.HappenedAt is { } time ? TimeZoneInfo.ConvertTime(time, clock.LocalTimeZone) : (DateTimeOffset?)null;
        if (happenedAt is { } local && DateOnly.FromDateTime(local.Date) is var day && day != _day)
        {
            Column(day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), 0, Dim);
            EndLine();
            _day = day;
        }
        Column(happenedAt?.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture) ?? "-", 12, Dim);
        Column($"{record.Topic}/{record.Partition}@{record.Offset}", _longestTopic + 9, Dim);
        var key = Legible.Bytes(record.Key, KeyWidth);
        if (record.Problem is null)
        {
            Column(Legible.Text(EventName.Of(record.Type!), 60), NameWidth, StyleOf(record.Source!));
            Column(key, KeyWidth, Plain);
            Column(record.Data is { } data ? DataSummary.Of(data, EventRecord.TextOf(record.Key)) : Compacted.Contains(record.Topic) ? "(deleted)" : "(no body)", 0, Plain);
        }
        else
        {
            Column("not an event", NameWidth, Wrong);
            Column(key, KeyWidth, Plain);
            Column($"{record.Problem}: {(record.Body is null ? "(no body)" : Legible.Bytes(record.Body, BodyLength))}", 0, Wrong);
        }
        EndLine();
    }

    /// <inheritdoc/>
    public void Flush() => output.Flush();

    private static Style StyleOf(string source) => Services.GetValueOrDefault(source[(source.LastIndexOf('/') + 1)..], Plain);

    private void Column(string text, int columnWidth, Style style)
    {
        var padded = columnWidth == 0 ? text : $"{text.PadRight(columnWidth)}  ";
        if (padded.Length > _left)
            padded = _left > 0 ? $"{padded[..(_left - 1)]}…" : "";
        _left -= padded.Length;
        if (padded.Length > 0)
            _writer.Write(padded, style);
    }

    private void EndLine()
    {
        output.Write('\n');
        _left = width ?? int.MaxValue;
    }
}
