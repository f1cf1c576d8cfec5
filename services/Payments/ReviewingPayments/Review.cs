namespace Shop.Payments.ReviewingPayments;

/// <summary>An operator's decision about a held payment; kept for ever.</summary>
public sealed class Review
{
    /// <summary>The payment.</summary>
    public required Guid PaymentId { get; init; }

    /// <summary>Whether the provider is asked; otherwise the payment is declined.</summary>
    public required bool IsApproved { get; init; }

    /// <summary>What the operator noted.</summary>
    public required string? Note { get; init; }

    /// <summary>Who decided: the token's subject.</summary>
    public required string DecidedBy { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset DecidedAt { get; init; }
}
