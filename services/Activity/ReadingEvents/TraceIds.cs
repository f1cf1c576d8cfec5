using System.Text.RegularExpressions;

namespace Shop.Activity.ReadingEvents;

/// <summary>Trace ids (W3C Trace Context), as they are kept and looked for.</summary>
internal static partial class TraceIds
{
    /// <summary>What a parameter has to be that is none.</summary>
    public const string Rule = "Must be a trace id: 32 hexadecimal digits.";

    /// <summary>The id in its one spelling; null where the text is none.</summary>
    public static string? Parse(string? text) => text is not null && Id().IsMatch(text) ? text.ToLowerInvariant() : null;

    [GeneratedRegex(@"^[0-9a-fA-F]{32}\z")]
    private static partial Regex Id();
}
