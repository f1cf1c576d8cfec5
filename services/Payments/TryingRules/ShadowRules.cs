namespace Shop.Payments.TryingRules;

/// <summary>Rules that an operator tries out beside those in force; kept for ever with who did and when.</summary>
public sealed class ShadowRules
{
    /// <summary>Counts sets of rules that were tried out.</summary>
    public required int Version { get; init; }

    /// <summary>The rules, as JSON.</summary>
    public required string Rules { get; init; }

    /// <summary>When they were set.</summary>
    public required DateTimeOffset SetAt { get; init; }

    /// <summary>Who set them.</summary>
    public required string SetBy { get; init; }

    /// <summary>When they ended; null while they are tried out.</summary>
    public DateTimeOffset? EndedAt { get; set; }
}

/// <summary>Payments that were decided alike, equally or not. By partition, since transactions of different ones must not wait for each other.</summary>
public sealed class ShadowDecisionCount
{
    /// <summary>The rules that are tried out.</summary>
    public required int Version { get; init; }

    /// <summary>The partition whose payments these are.</summary>
    public required int Partition { get; init; }

    /// <summary>What the rules in force decide.</summary>
    public required string Live { get; init; }

    /// <summary>What those that are tried out would.</summary>
    public required string Shadow { get; init; }

    /// <summary>How many.</summary>
    public required long Payments { get; init; }
}

/// <summary>How often a rule fired.</summary>
public sealed class ShadowRuleCount
{
    /// <summary>The rules that are tried out.</summary>
    public required int Version { get; init; }

    /// <summary>The partition whose payments these are.</summary>
    public required int Partition { get; init; }

    /// <summary>The rule.</summary>
    public required string Rule { get; init; }

    /// <summary>Payments it fired for, as it is in force.</summary>
    public required long Live { get; init; }

    /// <summary>Payments it fired for, as it is tried out.</summary>
    public required long Shadow { get; init; }
}

/// <summary>A payment that was decided otherwise.</summary>
public sealed class ShadowExample
{
    /// <summary>The rules that are tried out.</summary>
    public required int Version { get; init; }

    /// <summary>The payment.</summary>
    public required Guid PaymentId { get; init; }

    /// <summary>How it was decided otherwise: <c>authorize hold</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>A <see cref="DifferentDecision"/>, as JSON.</summary>
    public required string Decision { get; init; }
}
