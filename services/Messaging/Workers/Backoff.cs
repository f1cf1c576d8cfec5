namespace Shop.Messaging.Workers;

/// <summary>
/// Pauses between attempts: doubled each time up to a limit, the second half of each random, so that what failed together does not come
/// back as one wave.
/// </summary>
/// <param name="First">The pause after the first failure, before its random part is taken off.</param>
/// <param name="Longest">The longest pause.</param>
public readonly record struct Backoff(TimeSpan First, TimeSpan Longest)
{
    /// <summary>Enough to come from a millisecond to days.</summary>
    private const int MostDoublings = 30;

    /// <summary>The pause after the failure number <paramref name="failures"/>, counted from 1.</summary>
    public TimeSpan After(int failures)
    {
        var pause = Math.Min(Longest.Ticks, First.Ticks * Math.Pow(2, Math.Clamp(failures - 1, 0, MostDoublings)));
        return TimeSpan.FromTicks((long)(pause * (0.5 + Random.Shared.NextDouble() / 2)));
    }
}
