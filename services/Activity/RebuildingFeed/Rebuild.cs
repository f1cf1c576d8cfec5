namespace Shop.Activity.RebuildingFeed;

/// <summary>A rebuild of the feed, from its request to its end.</summary>
internal sealed class Rebuild
{
    /// <summary>It.</summary>
    public Guid Id { get; init; }

    /// <summary>Where it begins: <c>beginning</c>, <c>archive</c>, or a time.</summary>
    public string From { get; init; } = "";

    /// <summary>How far it is, one of <see cref="RebuildStates"/>.</summary>
    public string State { get; set; } = RebuildStates.Waiting;

    /// <summary>Events that were read for the shadow tables, repetitions among them.</summary>
    public long Events { get; set; }

    /// <summary>Events that there are to be, as far as was known when it began.</summary>
    public long Of { get; set; }

    /// <summary>When it was asked for.</summary>
    public DateTimeOffset RequestedAt { get; init; }

    /// <summary>How long shadow tables were filled so far, in seconds.</summary>
    public double FillingSeconds { get; set; }

    /// <summary>What differs between the old tables and the new ones, as JSON; null until they were compared.</summary>
    public string? Differences { get; set; }

    /// <summary>Whether an operator wants it to end without an effect.</summary>
    public bool CancelRequested { get; set; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? EndedAt { get; set; }
}

/// <summary>How far a partition is in the shadow tables; written with the rows, in one transaction.</summary>
/// <param name="RebuildId">The rebuild.</param>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition.</param>
/// <param name="NextOffset">The offset of the next record to be added.</param>
internal sealed record RebuildPosition(Guid RebuildId, string Topic, int Partition, long NextOffset);

/// <summary>What a rebuild does at the moment.</summary>
internal static class RebuildStates
{
    public const string Waiting = "waiting", Filling = "filling", Indexing = "indexing", CatchingUp = "catchingUp", Comparing = "comparing",
        Swapping = "swapping", Done = "done", Cancelled = "cancelled";

    /// <summary>Whether there is nothing more to come.</summary>
    public static bool IsEnd(string state) => state is Done or Cancelled;
}
