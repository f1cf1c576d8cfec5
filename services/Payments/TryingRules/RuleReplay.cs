namespace Shop.Payments.TryingRules;

/// <summary>A trial of rules over the payments that were requested before, from its request to its end.</summary>
public sealed class RuleReplay
{
    /// <summary>It.</summary>
    public required Guid Id { get; init; }

    /// <summary>Where it begins: <c>beginning</c>, an ISO 8601 time, or a record's topic, partition and offset.</summary>
    public required string From { get; init; }

    /// <summary>The rules, as JSON.</summary>
    public required string Rules { get; init; }

    /// <summary>When it was asked for.</summary>
    public required DateTimeOffset AskedAt { get; init; }

    /// <summary>By whom.</summary>
    public required string AskedBy { get; init; }

    /// <summary>How far it is, one of <see cref="ReplayStates"/>.</summary>
    public string State { get; set; } = ReplayStates.Waiting;

    /// <summary>Records that were read so far.</summary>
    public long Records { get; set; }

    /// <summary>Records that there are to read, as far as was known when it began.</summary>
    public long Of { get; set; }

    /// <summary>Keys whose histories were forgotten on the way, since others needed the room.</summary>
    public long Forgotten { get; set; }

    /// <summary>How often it was begun.</summary>
    public int Attempts { get; set; }

    /// <summary>Why it has failed; null where it has not.</summary>
    public string? Error { get; set; }

    /// <summary>Whether an operator wants it to end.</summary>
    public bool CancelRequested { get; set; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? EndedAt { get; set; }

    /// <summary>A <see cref="ComparisonReport"/>, as JSON; null before its end.</summary>
    public string? Report { get; set; }
}

/// <summary>How far a replay is.</summary>
internal static class ReplayStates
{
    public const string Waiting = "waiting", Running = "running", Done = "done", Cancelled = "cancelled", Failed = "failed";
}
