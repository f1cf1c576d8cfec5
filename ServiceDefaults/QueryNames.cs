using System.Diagnostics;
using System.Text.RegularExpressions;
using OpenTelemetry;

namespace Shop.ServiceDefaults;

/// <summary>
/// Names the spans of SQL after what they do, as <c>INSERT outbox</c>: Npgsql calls each of them <c>postgresql</c>. Source: OpenTelemetry
/// semantic conventions, database spans: the name is the query's summary.
/// </summary>
internal sealed partial class QueryNames : BaseProcessor<Activity>
{
    private const int Looked = 4096; // a batch can be long; what it is about is at its beginning

    /// <inheritdoc/>
    public override void OnEnd(Activity data)
    {
        if (data.GetTagItem("db.query.text") is not string text || Summary().Match(text, 0, Math.Min(text.Length, Looked)) is not { Success: true } found) return;
        var summary = $"{found.Groups["operation"].Value.ToUpperInvariant()} {found.Groups["table"].Value}".TrimEnd();
        data.DisplayName = summary;
        data.SetTag("db.query.summary", summary);
    }

    // a SELECT without FROM is named after its function, as SELECT pg_try_advisory_lock
    [GeneratedRegex("""\b(?:(?<operation>INSERT)\s+INTO|(?<operation>UPDATE|COPY)|(?<operation>DELETE)\s+FROM|(?<operation>SELECT)\b(?:.*?\bFROM)?)\s+(?:ONLY\s+)?"?(?<table>\w+)?""",
        RegexOptions.IgnoreCase | RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Summary();
}
