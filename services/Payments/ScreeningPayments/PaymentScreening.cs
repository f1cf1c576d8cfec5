using MassTransit;
using Shop.Contracts;
using Shop.Messaging.Consuming;

namespace Shop.Payments.ScreeningPayments;

/// <summary>Screens the payments of a batch, in its transaction.</summary>
public sealed class PaymentScreening(PaymentsDb db, LiveRules rules, PaymentTokenOpener tokens)
{
    /// <summary>Opening a token and digesting keys is done once for each payment.</summary>
    private readonly Dictionary<Guid, (string Card, HistoryKeys Keys)> _loaded = [];
    private CurrentRules? _rules;

    /// <summary>Loads what the requests are going to need: one statement, however many rules there are.</summary>
    public async Task LoadAsync(IEnumerable<PaymentRequested> requests, CancellationToken cancellationToken)
    {
        foreach (var request in requests)
        {
            var card = RequestedPayment.CardOf(request, tokens);
            // the keys do not depend on the time
            _loaded[request.PaymentId] = (card, HistoryKeys.Of(RequestedPayment.FactsOf(request, DateTimeOffset.UnixEpoch + TimeSpan.FromDays(365), card)));
        }
        if (_loaded.Count == 0)
            return;
        _rules = await rules.CurrentAsync(db, cancellationToken);
        await db.Histories.LoadAsync(_loaded.Values.SelectMany(payment => payment.Keys.All()), cancellationToken);
    }

    /// <summary>Decides about a payment, and remembers it.</summary>
    public async Task<Screened> ScreenAsync(ConsumeContext<PaymentRequested> context)
    {
        // event time, so that a service that was away judges as one that was not
        var at = context.SentTime is { } sent ? new DateTimeOffset(sent) : throw new InvalidOperationException("The event has no time");
        var (card, keys) = _loaded[context.Message.PaymentId];
        var facts = RequestedPayment.FactsOf(context.Message, at, card);
        var partition = context.TryGetPayload<ConsumedRecord>(out var record) ? record.Partition : -1;
        var amounts = HistoryKeys.OfAmounts(facts.Currency, partition);
        await db.Histories.LoadAsync([amounts], context.CancellationToken);
        var (live, shadow) = _rules!;
        var (assessment, otherwise) = live.Screener.Screen(facts, keys, db.Histories.Of(keys, amounts, facts.At), shadow?.Screener);
        if (otherwise is not null)
            db.ShadowFindings.Add(shadow!.Version, partition, facts, assessment, otherwise);
        return new(assessment, live.Version, keys);
    }
}
