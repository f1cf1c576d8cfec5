namespace Shop.PaymentProvider;

/// <summary>What a merchant may ask of a payment that is there.</summary>
internal enum PaymentAction
{
    Capture,
    Void,
    Refund,
}

/// <summary>How the provider answers.</summary>
internal enum Outcome
{
    /// <summary>It happened now: <see cref="Decision.Entry"/> goes into the ledger.</summary>
    Done,

    /// <summary>It had happened before, or holds already: nothing is written.</summary>
    Unchanged,

    /// <summary>The idempotency key belongs to another request.</summary>
    KeyReused,

    /// <summary>There is no such payment.</summary>
    NotFound,

    /// <summary>The payment's status forbids it.</summary>
    Conflict,

    /// <summary>It is not done, and never will be.</summary>
    Refused,

    /// <summary>The provider fails, as <c>tok_flaky</c> wants it.</summary>
    Failed,
}

/// <summary>An outcome, and what is to be written for it.</summary>
internal sealed record Decision(Outcome Outcome, LedgerEntry? Entry = null);

/// <summary>The provider's rules, as functions of a payment's state and what is asked.</summary>
internal static class PaymentDecider
{
    public static Decision Authorize(Payment? payment, Guid id, PaymentRequest request, DateTimeOffset now)
    {
        if (payment is null)
        {
            var declineReason = TokenBehavior.Of(request.Token).DeclineReason;
            return new(Outcome.Done, Entry(id, declineReason is null ? PaymentStatus.Authorized : PaymentStatus.Declined, request, now) with
            {
                DeclineReason = declineReason,
            });
        }

        // voided before it came: the late authorisation is refused, whatever it asks for
        return payment.Request is null || payment.Request == request ? new(Outcome.Unchanged) : new(Outcome.KeyReused);
    }

    public static Decision Change(Payment? payment, Guid id, PaymentAction action, DateTimeOffset now) => (action, payment?.Status) switch
    {
        // a tombstone: an authorisation that is still on its way must find it
        (PaymentAction.Void, null) => new(Outcome.Done, Entry(id, PaymentStatus.Voided, request: null, now)),
        (_, null) => new(Outcome.NotFound),

        (PaymentAction.Capture, PaymentStatus.Authorized) when payment!.Request is { } request && !TokenBehavior.Of(request.Token).IsCapturable => new(Outcome.Refused),
        (PaymentAction.Capture, PaymentStatus.Authorized) => new(Outcome.Done, Entry(id, PaymentStatus.Captured, payment!.Request, now)),
        (PaymentAction.Capture, PaymentStatus.Captured) => new(Outcome.Unchanged),

        (PaymentAction.Void, PaymentStatus.Authorized) => new(Outcome.Done, Entry(id, PaymentStatus.Voided, payment!.Request, now)),
        // nothing is set aside, which is what a void is for
        (PaymentAction.Void, PaymentStatus.Voided or PaymentStatus.Declined) => new(Outcome.Unchanged),

        (PaymentAction.Refund, PaymentStatus.Captured) => new(Outcome.Done, Entry(id, PaymentStatus.Refunded, payment!.Request, now)),
        (PaymentAction.Refund, PaymentStatus.Refunded) => new(Outcome.Unchanged),

        _ => new(Outcome.Conflict),
    };

    // the ledger numbers it
    private static LedgerEntry Entry(Guid id, PaymentStatus kind, PaymentRequest? request, DateTimeOffset now) =>
        new(Sequence: 0, id, kind, request?.Reference, request?.Amount, request?.Currency, request?.Token, DeclineReason: null, now);
}
