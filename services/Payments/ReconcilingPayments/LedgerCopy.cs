namespace Shop.Payments.ReconcilingPayments;

/// <summary>A payment as the provider's ledger has it; a copy, which follows the ledger.</summary>
public sealed class LedgerPayment
{
    /// <summary>The payment.</summary>
    public required Guid PaymentId { get; init; }

    /// <summary>What the newest entry says: <c>authorized</c>, <c>declined</c>, <c>captured</c>, <c>voided</c> or <c>refunded</c>.</summary>
    public required string Status { get; init; }

    /// <summary>The amount, in the currency's major unit; null where the payment was voided before it came.</summary>
    public required decimal? Amount { get; init; }

    /// <summary>ISO 4217; null as the amount.</summary>
    public required string? Currency { get; init; }

    /// <summary>How often it was captured.</summary>
    public required int Captures { get; init; }

    /// <summary>The time of its first entry.</summary>
    public required DateTimeOffset FirstAt { get; init; }
}

/// <summary>How far the ledger was read: one row.</summary>
public sealed class LedgerPosition
{
    /// <summary>Always 1.</summary>
    public required int Id { get; init; }

    /// <summary>The sequence of the last entry that was read.</summary>
    public required long Sequence { get; init; }

    /// <summary>The payment of that entry; null where none was read, or an older version has read it.</summary>
    public required Guid? LastPaymentId { get; init; }

    /// <summary>Its kind; null as its payment.</summary>
    public required string? LastKind { get; init; }

    /// <summary>Its time; null as its payment.</summary>
    public required DateTimeOffset? LastAt { get; init; }
}

/// <summary>A payment that is not at the provider as it is here, for as long as that is so.</summary>
public sealed class PaymentDifference
{
    /// <summary>The alarm that tells of it.</summary>
    public required Guid AlarmId { get; init; }

    /// <summary>The payment.</summary>
    public required Guid PaymentId { get; init; }

    /// <summary>What it is here, in words.</summary>
    public required string Ours { get; init; }

    /// <summary>What it is at the provider, in words.</summary>
    public required string Theirs { get; init; }

    /// <summary>When it was found.</summary>
    public required DateTimeOffset FoundAt { get; init; }

    /// <summary>When it was found to be over.</summary>
    public DateTimeOffset? ClearedAt { get; set; }
}
