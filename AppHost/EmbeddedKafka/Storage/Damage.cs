namespace Shop.KafkaBroker;

/// <summary>Whether bytes begin with a whole entry.</summary>
internal delegate bool IntactEntry(ReadOnlySpan<byte> bytes);

/// <summary>Tells the torn end of a file, which a crash leaves and which is cut off, from damage, behind which entries are whole.</summary>
internal static class Damage
{
    /// <summary>Whether a whole entry is anywhere behind a bad one.</summary>
    public static bool IsInTheMiddle(ReadOnlySpan<byte> fromBadEntry, IntactEntry isIntact)
    {
        for (var i = 1; i < fromBadEntry.Length; i++)
        {
            if (isIntact(fromBadEntry[i..]))
                return true;
        }
        return false;
    }

    public static InvalidDataException In(string path, long position) => new($"{path} is damaged at byte {position}. What is behind that is whole, "
        + "so a crash did not tear it, and nothing was changed. Put back a copy of the file; or give up what is behind the damage: "
        + $"truncate -s {position} '{path}'");
}
