using Shop.Contracts;
using Shop.Payments.ScreeningPayments;

namespace Shop.Payments;

/// <summary>What becomes of a payment.</summary>
/// <param name="State">The state it enters, or stays in.</param>
/// <param name="Event">What is published, where it is news to others.</param>
/// <param name="CaptureWanted">The order is confirmed, but the authorisation is not known yet.</param>
public sealed record Decision(PaymentState State, object? Event = null, bool CaptureWanted = false);

/// <summary>
/// The rules of a payment, as functions of its state and what happens. Each gives null where nothing is to be done or told, as
/// for what comes too late.
/// </summary>
/// <remarks>
/// A cancel beats everything and never waits for a call in flight: the payment is voided at once, and the answer of the
/// earlier call, whenever it comes, finds the payment in another state and is dropped. What the earlier call did at the provider
/// is found out by the void: it lets go of an authorisation, refuses one that has not arrived yet, and reports a capture,
/// which is then refunded. So nothing is captured after a cancel by our doing, and nothing captured is kept.
/// <para>
/// Every requested payment ends with exactly one of PaymentDeclined, PaymentCaptured (with no cancel), PaymentVoided and PaymentRefunded.
/// PaymentVoided is published when the provider has confirmed the void, also where it never told, or never came to know,
/// the authorisation (a silent provider, a cancel before the first call): it promises that nothing is held and nothing will be.
/// </para>
/// <para>
/// Repeated deliveries are dropped before they come here. So what an order says again it says because it is being repaired: an answer
/// may be lost. It is told once more how its payment stands, and nothing else happens.
/// </para>
/// </remarks>
public static class PaymentDecider
{
    /// <summary>What others are told of a payment that screening or an operator refuses: not why.</summary>
    internal const string NotAccepted = "not accepted";

    /// <summary>Whether there is a call to the provider to make in <paramref name="state"/>.</summary>
    public static bool NeedsProvider(PaymentState state) =>
        state is PaymentState.Authorizing or PaymentState.Capturing or PaymentState.Voiding or PaymentState.Refunding;

    /// <summary>The payment is requested, and was screened.</summary>
    /// <param name="payment">The payment as it is made: in <see cref="PaymentState.Authorizing"/>.</param>
    /// <param name="verdict">What screening says.</param>
    public static Decision Request(Payment payment, Verdict verdict) => verdict switch
    {
        Verdict.Authorize => new(PaymentState.Authorizing),
        Verdict.Hold => new(PaymentState.Held, Held(payment)),
        _ => new(PaymentState.Declined, Declined(payment, NotAccepted)),
    };

    /// <summary>An operator has looked at it.</summary>
    public static Decision? Review(Payment payment, bool isApproved) => payment.State != PaymentState.Held ? null
        : isApproved ? new(PaymentState.Authorizing) : new(PaymentState.Declined, Declined(payment, NotAccepted));

    /// <summary>The payment is requested again: it is made once.</summary>
    public static Decision? RequestAgain(Payment payment) => Repeat(payment);

    /// <summary>The order is confirmed: its amount is to be taken.</summary>
    public static Decision? Confirm(Payment payment) => payment.State switch
    {
        PaymentState.Authorizing when !payment.CaptureWanted => new(PaymentState.Authorizing, CaptureWanted: true),
        PaymentState.Authorized => new(PaymentState.Capturing),
        // an operator repairs the order: whatever the provider refused for may be over
        PaymentState.Uncapturable => new(PaymentState.Capturing),
        // nothing confirms an order whose payment waits
        PaymentState.Held => null,
        _ => Repeat(payment),
    };

    /// <summary>The order is cancelled: nothing may be held or kept.</summary>
    public static Decision? Cancel(Payment payment) => payment.State switch
    {
        PaymentState.Authorizing or PaymentState.Authorized or PaymentState.Capturing or PaymentState.Uncapturable => new(PaymentState.Voiding),
        PaymentState.Captured => new(PaymentState.Refunding),
        // the provider was never asked: there is nothing to let go
        PaymentState.Held => new(PaymentState.Voided, Voided(payment)),
        // not a decline: it is what usually cancels an order, so hearing of that is not being asked again
        PaymentState.Voided or PaymentState.Refunded => Repeat(payment),
        _ => null,
    };

    /// <summary>The provider has answered.</summary>
    /// <param name="payment">The payment as it is now.</param>
    /// <param name="asked">The state in which the call was made.</param>
    /// <param name="answer">The provider's answer.</param>
    /// <returns>Null also where the answer is none that the call can have: it counts as no answer, and the call is repeated.</returns>
    public static Decision? Answer(Payment payment, PaymentState asked, ProviderAnswer answer) => (payment.State == asked, asked, answer.Status) switch
    {
        (false, _, _) => null,

        (_, PaymentState.Authorizing, ProviderStatus.Authorized) =>
            new(payment.CaptureWanted ? PaymentState.Capturing : PaymentState.Authorized, Authorized(payment)),

        (_, PaymentState.Capturing, ProviderStatus.Captured) => new(PaymentState.Captured, Captured(payment)),

        // asking for ever would not change it; declined is what the provider may make of an authorisation later
        (_, PaymentState.Capturing, ProviderStatus.Refused or ProviderStatus.Declined) => new(PaymentState.Uncapturable),

        // a capture was quicker than the cancel: it happened, so others hear of it, and it is given back
        (_, PaymentState.Voiding, ProviderStatus.Captured) => new(PaymentState.Refunding, Captured(payment)),

        // declined while the cancel came: there is nothing to let go
        (_, PaymentState.Authorizing or PaymentState.Voiding, ProviderStatus.Declined) =>
            new(PaymentState.Declined, Declined(payment, answer.DeclineReason)),

        // somebody may have voided or refunded by hand at the provider, so these end a capture too
        (_, PaymentState.Voiding or PaymentState.Capturing, ProviderStatus.Voided) =>
            new(PaymentState.Voided, Voided(payment)),
        (_, PaymentState.Refunding or PaymentState.Voiding or PaymentState.Capturing, ProviderStatus.Refunded) =>
            new(PaymentState.Refunded, Refunded(payment)),

        _ => null,
    };

    /// <summary>Tells again what was told last; null where the answer is still to come.</summary>
    private static Decision? Repeat(Payment payment)
    {
        object? told = payment.State switch
        {
            PaymentState.Held => Held(payment),
            PaymentState.Authorized or PaymentState.Uncapturable => Authorized(payment),
            PaymentState.Declined => Declined(payment, payment.DeclineReason),
            PaymentState.Captured => Captured(payment),
            PaymentState.Voided => Voided(payment),
            PaymentState.Refunded => Refunded(payment),
            _ => null,
        };
        return told is null ? null : new(payment.State, told);
    }

    private static PaymentHeld Held(Payment payment) =>
        new(payment.OrderId, payment.PaymentId, payment.Score ?? 0, [.. payment.Rules.Select(rule => rule.Rule)], payment.Rules);

    private static PaymentAuthorized Authorized(Payment payment) => new(payment.OrderId, payment.PaymentId, payment.Money);

    private static PaymentDeclined Declined(Payment payment, string? reason) => new(payment.OrderId, payment.PaymentId, reason ?? "declined");

    private static PaymentVoided Voided(Payment payment) => new(payment.OrderId, payment.PaymentId, payment.Money);

    private static PaymentRefunded Refunded(Payment payment) => new(payment.OrderId, payment.PaymentId, payment.Money);

    private static PaymentCaptured Captured(Payment payment) => new(payment.OrderId, payment.PaymentId, payment.Money);
}
