using System.Globalization;

namespace Shop.ServiceDefaults;

/// <summary>
/// Finds what looks like the number of a payment card. Payments are made with the provider's tokens: a number has no business in any input, and
/// is refused before it can reach an event, a log or an error.
/// </summary>
public static class CardNumbers
{
    /// <summary>What is said of one, without repeating it.</summary>
    public const string Refusal = "Must not contain what looks like a card number: payments are made with a token.";

    private const int Shortest = 14, Longest = 19;

    /// <summary>So many characters, neither letters nor digits, may be between two groups of digits, as large as cards have them: sizes, times and dates have two.</summary>
    private const int LongestSeparator = 2, SmallestGroup = 3;

    /// <summary>
    /// Whether a run of 14 to 19 digits of any script is in <paramref name="text"/>, also with spaces or signs between them, that begins as the cards
    /// of the large networks do and has a right check digit. Not within a UUID or a trace id, whose digits look like one in one of some thousand.
    /// </summary>
    /// <remarks>Source: ISO/IEC 7812-1, annex B (the Luhn formula); the networks' published ranges.</remarks>
    public static bool IsIn(ReadOnlySpan<char> text)
    {
        Span<byte> digits = stackalloc byte[Longest];
        for (var start = 0; start < text.Length; start++)
        {
            if (IdentifierAt(text, start) is var length and > 0)
            {
                start += length - 1;
                continue;
            }
            if (!char.IsDigit(text[start]))
                continue;
            // with single spaces and hyphens groups of any size are read
            var (count, group, isGrouped) = (0, 0, true);
            for (var at = start; at < text.Length && count < Longest; at++)
            {
                if (!char.IsDigit(text[at]))
                {
                    if (!IsSeparated(text[at..]))
                        break;
                    isGrouped &= group == 0 || group >= SmallestGroup || text[at] is ' ' or '-' && char.IsDigit(text[at + 1]);
                    group = 0;
                    continue;
                }
                group++;
                digits[count++] = (byte)CharUnicodeInfo.GetDecimalDigitValue(text[at]);
                // its end, though an expiry date or another number may follow
                if ((at + 1 == text.Length || !char.IsDigit(text[at + 1])) && count >= Shortest && isGrouped && IsCard(digits[..count]))
                    return true;
            }
            while (start + 1 < text.Length && char.IsDigit(text[start + 1]))
                start++;
        }
        return false;
    }

    /// <summary>Whether the next digit follows a separator.</summary>
    private static bool IsSeparated(ReadOnlySpan<char> rest)
    {
        var next = 0;
        while (next < rest.Length && next <= LongestSeparator && !char.IsLetterOrDigit(rest[next]))
            next++;
        return next <= LongestSeparator && next < rest.Length && char.IsDigit(rest[next]);
    }

    /// <summary>The length of a UUID, with its hyphens or without, that is a word of its own.</summary>
    private static int IdentifierAt(ReadOnlySpan<char> text, int start)
    {
        if (!char.IsAsciiHexDigit(text[start]) || start > 0 && char.IsAsciiLetterOrDigit(text[start - 1]))
            return 0;
        var rest = text[start..];
        return IsWord(rest, 36, "D") ? 36 : IsWord(rest, 32, "N") ? 32 : 0;

        static bool IsWord(ReadOnlySpan<char> rest, int length, string format) =>
            rest.Length >= length && (rest.Length == length || !char.IsAsciiLetterOrDigit(rest[length])) && Guid.TryParseExact(rest[..length], format, out _);
    }

    private static bool IsCard(ReadOnlySpan<byte> digits)
    {
        var (two, four) = (digits[0] * 10 + digits[1], digits[0] * 1_000 + digits[1] * 100 + digits[2] * 10 + digits[3]);
        var isLong = digits.Length switch
        {
            14 => two is 30 or 36 or 38 or 39,
            15 => two is 34 or 37,
            16 or 19 => digits[0] == 4 || two is (>= 51 and <= 55) or 35 or 62 or 65 || four is (>= 2221 and <= 2720) or 6011,
            _ => false,
        };
        if (!isLong)
            return false;
        var sum = 0;
        for (var i = 0; i < digits.Length; i++)
        {
            var value = digits[^(i + 1)] * (i % 2 + 1);
            sum += value > 9 ? value - 9 : value;
        }
        return sum % 10 == 0;
    }
}
