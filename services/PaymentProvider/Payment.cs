using System.Text.Json;
using System.Text.Json.Serialization;

namespace Shop.PaymentProvider;

/// <summary>What became of a payment; also the kind of a ledger entry.</summary>
[JsonConverter(typeof(PaymentStatusConverter))]
public enum PaymentStatus
{
    /// <summary>The amount is set aside, and not yet taken.</summary>
    Authorized,

    /// <summary>Refused; nothing was set aside.</summary>
    Declined,

    /// <summary>The amount was taken.</summary>
    Captured,

    /// <summary>The authorisation was given up, or the payment was voided before it was ever authorised.</summary>
    Voided,

    /// <summary>The amount was taken and given back.</summary>
    Refunded,
}

/// <summary>The order to authorise a payment.</summary>
/// <param name="Amount">Above 0, at most two decimals.</param>
/// <param name="Currency">ISO 4217, such as <c>EUR</c>.</param>
/// <param name="Token">Stands for the card; chooses the behaviour, see <see cref="TokenBehavior"/>.</param>
/// <param name="Reference">The merchant's own name for it: the order's id.</param>
public sealed record PaymentRequest(decimal Amount, string Currency, string Token, string Reference);

/// <summary>A line of the ledger: one thing that happened to one payment, never changed afterwards.</summary>
/// <param name="Sequence">1, 2, 3, ... without gaps.</param>
/// <param name="PaymentId">The payment.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Reference">The merchant's reference; null where a payment was voided that never came.</param>
/// <param name="Amount">The amount; null as the reference.</param>
/// <param name="Currency">ISO 4217; null as the reference.</param>
/// <param name="Token">The token that was used; null as the reference.</param>
/// <param name="DeclineReason">Why it was declined, otherwise null.</param>
/// <param name="At">When.</param>
public sealed record LedgerEntry(
    long Sequence,
    Guid PaymentId,
    PaymentStatus Kind,
    string? Reference,
    decimal? Amount,
    string? Currency,
    string? Token,
    string? DeclineReason,
    DateTimeOffset At);

/// <summary>The state of a payment: what its ledger entries add up to.</summary>
/// <param name="Id">The payment's id, which is its idempotency key.</param>
/// <param name="Status">Its last entry.</param>
/// <param name="Request">What was asked; null where it was voided before it came.</param>
/// <param name="DeclineReason">Why it was declined, otherwise null.</param>
/// <param name="DecidedAt">When it was authorised, declined, or voided without either.</param>
internal sealed record Payment(Guid Id, PaymentStatus Status, PaymentRequest? Request, string? DeclineReason, DateTimeOffset DecidedAt)
{
    /// <summary>The state after <paramref name="entry"/>.</summary>
    public static Payment Apply(Payment? payment, LedgerEntry entry) => payment is null
        ? new Payment(
            entry.PaymentId,
            entry.Kind,
            entry is { Amount: { } amount, Currency: { } currency, Token: { } token, Reference: { } reference }
                ? new PaymentRequest(amount, currency, token, reference)
                : null,
            entry.DeclineReason,
            entry.At)
        : payment with { Status = entry.Kind };
}

/// <summary>Writes the status as <c>authorized</c>, <c>declined</c>, ...</summary>
internal sealed class PaymentStatusConverter() : JsonStringEnumConverter<PaymentStatus>(JsonNamingPolicy.CamelCase, allowIntegerValues: false);
