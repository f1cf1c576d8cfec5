namespace Shop.Payments.ScreeningPayments;

/// <summary>
/// Histories by key, in memory: of a stream that is screened. Where there are too many, those are forgotten that were not seen for longest, half of all at a
/// time: keys move into a second generation when they are seen, and what is left in the first when the second is full goes.
/// </summary>
/// <param name="mostKeys">Keys that are remembered at most.</param>
public sealed class HistoryBook(int mostKeys = int.MaxValue)
{
    private Dictionary<Guid, History> _histories = [], _older = [];
    private readonly Dictionary<string, AmountDistribution> _amounts = new(StringComparer.Ordinal);

    /// <summary>The keys that are in it.</summary>
    public int Count => _histories.Count + _older.Count;

    /// <summary>Keys that were forgotten since others needed the room.</summary>
    public long Forgotten { get; private set; }

    /// <summary>The histories of a payment; those that are not there yet begin here.</summary>
    public Histories Of(PaymentFacts facts, in HistoryKeys keys) => new(
        FindAt(keys.Card, facts.At), FindAt(keys.Shopper, facts.At), keys.Device is { } device ? FindAt(device, facts.At) : null, keys.Address is { } address ? FindAt(address, facts.At) : null,
        AmountsOf(facts.Currency));

    /// <summary>Adds what becomes known of a payment after it was screened.</summary>
    public void Mark(Guid paymentId, in HistoryKeys keys, ObservationMarks marks)
    {
        foreach (var key in keys.All())
        {
            if (_histories.TryGetValue(key, out var history) || _older.TryGetValue(key, out history))
                history.Mark(HistoryKeys.ShortOfPayment(paymentId), marks);
        }
    }

    /// <summary>A copy, through what is stored of it.</summary>
    internal HistoryBook Restored()
    {
        var copy = new HistoryBook();
        foreach (var (key, history) in _histories.Concat(_older))
            copy._histories[key] = History.Decode(history.Encode());
        foreach (var (currency, amounts) in _amounts)
            copy._amounts[currency] = AmountDistribution.Decode(amounts.Encode());
        return copy;
    }

    private History FindAt(Guid key, DateTimeOffset at) => Find(key) is var history && history.IsForgottenAt(at) ? _histories[key] = new() : history;

    private History Find(Guid key)
    {
        if (_histories.TryGetValue(key, out var history))
            return history;
        if (!_older.Remove(key, out var found))
            found = new();
        if (_histories.Count >= mostKeys / 2)
        {
            Forgotten += _older.Count;
            (_older, _histories) = (_histories, []);
        }
        return _histories[key] = found;
    }

    private AmountDistribution AmountsOf(string currency)
    {
        if (!_amounts.TryGetValue(currency, out var amounts))
            _amounts[currency] = amounts = new();
        return amounts;
    }
}
