using System.Text.Json;
using Shop.Contracts;
using Shop.Messaging.Consuming;
using Shop.Payments.ScreeningPayments;

namespace Shop.Payments.TryingRules;

/// <summary>Screens stored payments again, by the rules in force, and asks those that are tried out what they would have decided: on the same features, as a trial beside them does.</summary>
/// <param name="live">By the rules in force.</param>
/// <param name="tried">By the rules that are tried out.</param>
/// <param name="tokens">Opens the payments' tokens.</param>
/// <param name="mostKeys">Keys whose histories are remembered, so that memory does not grow with what is stored.</param>
internal sealed class ReplayedPayments(Screener live, Screener tried, PaymentTokenOpener tokens, int mostKeys)
{
    /// <summary>Payments whose outcome is waited for: what was requested before that many others is forgotten.</summary>
    private const int MostOpen = 100_000;

    private static readonly string Requested = Name(Topics.Orders, typeof(PaymentRequested)), Declined = Name(Topics.Payments, typeof(PaymentDeclined)),
        Held = Name(Topics.Payments, typeof(PaymentHeld)), Authorized = Name(Topics.Payments, typeof(PaymentAuthorized));

    private readonly HistoryBook _book = new(mostKeys);
    private readonly Dictionary<Guid, Open> _open = [];
    private readonly Queue<Guid> _oldest = new();

    /// <summary>What was found so far.</summary>
    public RuleComparison Comparison { get; } = new();

    /// <summary>Keys that were forgotten since others needed the room.</summary>
    public long Forgotten => _book.Forgotten;

    /// <summary>Takes the next record; what is none of a payment's, or cannot be read, is passed over.</summary>
    public void Add(ConsumedRecord record)
    {
        try
        {
            var type = record.Event.Type;
            if (type == Requested)
                Screen(Read<PaymentRequested>(record), record.Event.Time);
            else if (type == Held && _open.TryGetValue(Read<PaymentHeld>(record).PaymentId, out var held))
                held.IsHeld = true;
            // an operator has let it pass: what was taken for suspicious taints nobody any more
            else if (type == Authorized && _open.TryGetValue(Read<PaymentAuthorized>(record).PaymentId, out var approved) && approved.IsHeld)
                _book.Mark(approved.PaymentId, approved.Keys, ObservationMarks.Approved);
            else if (type == Declined && Read<PaymentDeclined>(record) is { Reason: not PaymentDecider.NotAccepted } declined && _open.TryGetValue(declined.PaymentId, out var refused))
                _book.Mark(refused.PaymentId, refused.Keys, ObservationMarks.Declined);
        }
        // whatever it is: a dead letter of its time, and no reason to read everything again
        catch (Exception)
        {
        }
    }

    private void Screen(PaymentRequested request, DateTimeOffset at)
    {
        // what an order says again it says because it is being repaired
        if (_open.ContainsKey(request.PaymentId))
            return;
        var facts = RequestedPayment.FactsOf(request, at, RequestedPayment.CardOf(request, tokens));
        var keys = HistoryKeys.Of(facts);
        var (decided, otherwise) = live.Screen(facts, keys, _book.Of(facts, keys), tried);
        Comparison.Add(facts, decided, otherwise!);
        _open.Add(request.PaymentId, new(request.PaymentId, keys));
        _oldest.Enqueue(request.PaymentId);
        if (_oldest.Count > MostOpen)
            _open.Remove(_oldest.Dequeue());
    }

    private static T Read<T>(ConsumedRecord record) where T : class =>
        (T?)JsonSerializer.Deserialize(record.Body, ContractsJson.Default.GetTypeInfo(typeof(T))!) ?? throw new JsonException("The event is null");

    private static string Name(Topic topic, Type type) => topic.Events.Single(known => known.ClrType == type).Name;

    private sealed record Open(Guid PaymentId, HistoryKeys Keys)
    {
        public bool IsHeld { get; set; }
    }
}
