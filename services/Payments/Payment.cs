using Shop.Contracts;
using Shop.Payments.ScreeningPayments;

namespace Shop.Payments;

/// <summary>One order's payment: what is wanted of the provider, and what it has answered. Rules are in <see cref="PaymentDecider"/>.</summary>
public sealed class Payment
{
    private Payment()
    {
    }

    /// <summary>A payment that is to be authorised at once, unless screening says something else.</summary>
    /// <param name="request">The order's wish.</param>
    /// <param name="now">The time.</param>
    /// <param name="cause">The event that carried the wish.</param>
    /// <param name="screened">What screening found.</param>
    public Payment(PaymentRequested request, DateTimeOffset now, Cause cause, Screened screened)
    {
        Score = screened.Assessment.Score;
        Rules = screened.Assessment.Rules;
        RulesVersion = screened.RulesVersion;
        (CardKey, DeviceKey, AddressKey) = (screened.Keys.Card, screened.Keys.Device, screened.Keys.Address);
        PaymentId = request.PaymentId;
        OrderId = request.OrderId;
        ShopperId = request.ShopperId;
        Amount = request.Amount.Amount;
        Currency = request.Amount.Currency;
        Token = request.PaymentToken;
        RequestedAt = ChangedAt = now;
        DueAt = now;
        CauseId = cause.EventId;
        TraceParent = cause.TraceParent;
    }

    /// <summary>The payment, and its idempotency key at the provider.</summary>
    public Guid PaymentId { get; private init; }

    /// <summary>The order; it has one payment.</summary>
    public Guid OrderId { get; private init; }

    /// <summary>Who pays.</summary>
    public string ShopperId { get; private init; } = "";

    /// <summary>The amount, in the currency's major unit.</summary>
    public decimal Amount { get; private init; }

    /// <summary>ISO 4217.</summary>
    public string Currency { get; private init; } = "";

    /// <summary>The provider's token for the means of payment, as it came: sealed, or from an older event; forgotten as soon as it is not needed any more.</summary>
    public string? Token { get; private set; }

    /// <summary>How far it is.</summary>
    public PaymentState State { get; private set; }

    /// <summary>The order was confirmed before the provider's authorisation was known.</summary>
    public bool CaptureWanted { get; private set; }

    /// <summary>
    /// When the provider is to be called; null when there is nothing to call for. Whoever calls moves it ahead first: until then
    /// the call is his, afterwards it is anybody's.
    /// </summary>
    public DateTimeOffset? DueAt { get; private set; }

    /// <summary>Calls begun in this state.</summary>
    public int Attempts { get; private set; }

    /// <summary>Why the last call of this state gave no answer.</summary>
    public string? LastError { get; private set; }

    /// <summary>Why the provider refused; null where it did not.</summary>
    public string? DeclineReason { get; private set; }

    /// <summary>The alarm that tells of a refused capture, until it is over; null where there is none.</summary>
    public Guid? CaptureAlarmId { get; set; }

    /// <summary>The alarm that tells of a refused void or refund, until it is over; null where there is none.</summary>
    public Guid? RefundAlarmId { get; set; }

    /// <summary>The event that wanted what is being done; it is the cause of the event that tells the outcome.</summary>
    public Guid CauseId { get; private set; }

    /// <summary>The trace of <see cref="CauseId"/> (W3C Trace Context).</summary>
    public string? TraceParent { get; private set; }

    /// <summary>From 0 (harmless) to 1 (fraud); null for payments from before there was screening.</summary>
    public double? Score { get; private init; }

    /// <summary>The rules that fired, with what they saw.</summary>
    public IReadOnlyList<FiredRule> Rules { get; private init; } = [];

    /// <summary>The version of the rules that decided.</summary>
    public int? RulesVersion { get; private init; }

    /// <summary>The key of its card's history.</summary>
    public Guid? CardKey { get; private init; }

    /// <summary>The key of its device's history; null where the device is not known.</summary>
    public Guid? DeviceKey { get; private init; }

    /// <summary>The key of its address's history; null where the address is not known.</summary>
    public Guid? AddressKey { get; private init; }

    /// <summary>The keys of its histories; null for payments from before there was screening.</summary>
    public HistoryKeys? HistoryKeys => CardKey is { } card ? new(card, ScreeningPayments.HistoryKeys.OfShopper(ShopperId), DeviceKey, AddressKey) : null;

    /// <summary>When the payment was requested.</summary>
    public DateTimeOffset RequestedAt { get; private init; }

    /// <summary>When <see cref="State"/> was entered.</summary>
    public DateTimeOffset ChangedAt { get; private set; }

    /// <summary>Counts changes; the concurrency token.</summary>
    public int Version { get; private set; }

    /// <summary>The amount with its currency.</summary>
    public Money Money => new(Amount, Currency);

    /// <summary>Takes up what was decided; a new state that needs the provider is due at once.</summary>
    /// <param name="decision">The decision.</param>
    /// <param name="now">The time.</param>
    /// <param name="cause">The event that led to it; null for an answer of the provider.</param>
    public void Apply(Decision decision, DateTimeOffset now, Cause? cause = null)
    {
        Version++;
        CaptureWanted = decision.CaptureWanted;
        DeclineReason = (decision.Event as PaymentDeclined)?.Reason;
        if (cause is not null)
            (CauseId, TraceParent) = cause;
        if (decision.State == State)
            return;
        State = decision.State;
        ChangedAt = now;
        DueAt = PaymentDecider.NeedsProvider(State) ? now : null;
        Attempts = 0;
        LastError = null;
        // what is held may still be authorised
        if (State is not (PaymentState.Held or PaymentState.Authorizing))
            Token = null;
    }

    /// <summary>Notes that a call gave no answer, and when to call again.</summary>
    public void Fail(string error, DateTimeOffset nextCallAt)
    {
        Version++;
        LastError = error;
        DueAt = nextCallAt;
    }
}

/// <summary>What screening found out about a payment.</summary>
/// <param name="Assessment">The decision with its grounds.</param>
/// <param name="RulesVersion">The version of the rules that decided.</param>
/// <param name="Keys">The keys of the histories.</param>
public sealed record Screened(Assessment Assessment, int RulesVersion, HistoryKeys Keys);

/// <summary>The event that something is done for.</summary>
/// <param name="EventId">Its CloudEvents id.</param>
/// <param name="TraceParent">Its trace (W3C Trace Context), where there is one.</param>
public sealed record Cause(Guid EventId, string? TraceParent);
