using System.Text;

namespace Shop.Messaging.Events;

/// <summary>Makes text that comes from outside fit to be stored: PostgreSQL's text holds no NUL, and UTF-8 no half of a surrogate pair.</summary>
public static class StorableText
{
    private const char Replacement = '\uFFFD';

    /// <summary>The text that bytes from outside hold, in UTF-8.</summary>
    public static string Of(ReadOnlySpan<byte> utf8) => Of(Encoding.UTF8.GetString(utf8));

    /// <summary>The text with what cannot be stored replaced by U+FFFD, and cut where it is longer than <paramref name="maxLength"/>.</summary>
    public static string Of(string text, int maxLength = int.MaxValue)
    {
        if (text.Length > maxLength)
            text = text[..(char.IsHighSurrogate(text[maxLength - 1]) ? maxLength - 1 : maxLength)];
        return text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0 ? text.Replace('\0', Replacement) : WithoutLoneSurrogates(text);
    }

    private static string WithoutLoneSurrogates(string text)
    {
        var storable = text.ToCharArray();
        for (var i = 0; i < storable.Length; i++)
        {
            if (i + 1 < storable.Length && char.IsSurrogatePair(storable[i], storable[i + 1]))
                i++;
            else if (storable[i] == '\0' || char.IsSurrogate(storable[i]))
                storable[i] = Replacement;
        }
        return new(storable);
    }
}
