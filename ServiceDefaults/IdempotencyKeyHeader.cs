namespace Shop.ServiceDefaults;

/// <summary>The header that makes a request repeatable: what was done under a key is answered again, and not done again.</summary>
public static class IdempotencyKeyHeader
{
    /// <summary>Its name.</summary>
    public const string Name = "Idempotency-Key";

    /// <summary>The most characters of a key.</summary>
    public const int MaxLength = 128;

    /// <summary>Notes what is wrong with a key.</summary>
    /// <param name="errors">Where it is noted.</param>
    /// <param name="key">The key, as it was sent.</param>
    public static void CheckIdempotencyKey(this ValidationErrors errors, string key)
    {
        ArgumentNullException.ThrowIfNull(errors);
        ArgumentNullException.ThrowIfNull(key);

        if (key.Length is < 1 or > MaxLength || !key.All(character => character is > ' ' and <= '~'))
            errors.Add(Name, $"Must be 1 to {MaxLength} visible ASCII characters.");
        else if (CardNumbers.IsIn(key))
            errors.Add(Name, CardNumbers.Refusal);
    }
}
