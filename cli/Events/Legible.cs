using System.Globalization;
using System.Text;

namespace Shop.Cli.Events;

/// <summary>Text from records, which anybody may have written, for a line on a terminal.</summary>
internal static class Legible
{
    private const int IdTail = 8;

    /// <summary>Without control characters and such as turn the line's direction, and not longer than <paramref name="length"/>.</summary>
    public static string Text(string text, int length)
    {
        var cut = text.Length > length;
        var legible = new StringBuilder(cut ? text[..(length - 1)] : text);
        for (var i = 0; i < legible.Length; i++)
        {
            if (CharUnicodeInfo.GetUnicodeCategory(legible[i]) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.OtherNotAssigned)
                legible[i] = '\uFFFD';
        }
        return cut ? legible.Append('…').ToString() : legible.ToString();
    }

    /// <summary>The same; of a UUID only its end, where those of one minute differ (a UUIDv7 begins with the time).</summary>
    public static string ShortText(string text, int length) => Guid.TryParseExact(text, "D", out _) ? $"…{text[^IdTail..]}" : Text(text, length);

    /// <summary>Bytes as text, or in hexadecimal digits where they are none.</summary>
    public static string Bytes(byte[]? bytes, int length) => bytes switch
    {
        null => "-",
        [] => "\"\"",
        _ when EventRecord.TextOf(bytes) is { } text => ShortText(text, length),
        _ => Text($"0x{Convert.ToHexStringLower(bytes.AsSpan(0, Math.Min(bytes.Length, length)))}", length),
    };

    /// <summary>For a cell of a table, which may have lines, and be as long as it is.</summary>
    public static string Cell(string text) => string.Create(text.Length, text, (cell, given) =>
    {
        for (var i = 0; i < cell.Length; i++)
        {
            cell[i] = given[i] is not ('\n' or '\t') && CharUnicodeInfo.GetUnicodeCategory(given[i]) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator ? '\uFFFD' : given[i];
        }
    });
}
