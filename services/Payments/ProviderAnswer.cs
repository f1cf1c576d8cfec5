namespace Shop.Payments;

/// <summary>A payment's status at the provider.</summary>
public enum ProviderStatus
{
    /// <summary>The amount is held.</summary>
    Authorized,

    /// <summary>Refused; nothing is held.</summary>
    Declined,

    /// <summary>The amount was taken.</summary>
    Captured,

    /// <summary>Nothing is held, and an authorisation that comes later is refused.</summary>
    Voided,

    /// <summary>The amount was taken and given back.</summary>
    Refunded,

    /// <summary>What was asked for is refused for good; the payment is as it was.</summary>
    Refused,
}

/// <summary>What the provider says of a payment.</summary>
/// <param name="Status">Its status.</param>
/// <param name="DeclineReason">Why it was declined, or what was asked for refused.</param>
public sealed record ProviderAnswer(ProviderStatus Status, string? DeclineReason = null);
