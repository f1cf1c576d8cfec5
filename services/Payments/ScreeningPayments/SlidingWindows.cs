namespace Shop.Payments.ScreeningPayments;

/// <summary>What a key was seen in within a time, with the payment that is being screened.</summary>
/// <param name="Count">Payments.</param>
/// <param name="Amount">Their amounts together, as a multiple of the usual one.</param>
/// <param name="Small">Payments of less than a third of the usual amount.</param>
/// <param name="Cards">Distinct cards.</param>
/// <param name="NewCards">Distinct cards that had not been seen before.</param>
/// <param name="Shoppers">Distinct shoppers.</param>
/// <param name="FreshShoppers">Distinct shoppers that were new.</param>
/// <param name="Devices">Distinct devices.</param>
/// <param name="Addresses">Distinct addresses.</param>
/// <param name="Declines">Payments that the bank refused.</param>
/// <param name="DeclinedCards">Distinct cards that the bank refused.</param>
/// <param name="Stopped">Payments that screening held or declined, and no operator approved.</param>
/// <param name="Suspects">Those of them that were stopped for their own grounds.</param>
public readonly record struct Window(
    int Count, double Amount, int Small, int Cards, int NewCards, int Shoppers, int FreshShoppers, int Devices, int Addresses,
    int Declines, int DeclinedCards, int Stopped, int Suspects);

/// <summary>A key's windows, which slide: each ends with the payment that is being screened.</summary>
/// <param name="TenMinutes">The last ten minutes.</param>
/// <param name="Hour">The last hour.</param>
/// <param name="Day">The last 24 hours.</param>
/// <param name="Week">The last seven days.</param>
/// <param name="Month">The last 30 days.</param>
public sealed record SlidingWindows(Window TenMinutes, Window Hour, Window Day, Window Week, Window Month)
{
    /// <summary>Amounts below this part of the usual one are small.</summary>
    private const float SmallAmount = 1 / 3f;

    /// <summary>How far back the longest reaches, in seconds.</summary>
    internal const long LongestSeconds = 30 * (long)ADay;

    private const uint Minute = 60, AnHour = 60 * Minute, ADay = 24 * AnHour;

    /// <summary>The windows of a key that is not known.</summary>
    public static SlidingWindows None { get; } = new(default, default, default, default, default);

    /// <summary>Counts a history's windows together with the payment that is being screened.</summary>
    public static SlidingWindows Of(History history, in Observation now)
    {
        var counter = new Counter();
        counter.Add(now);
        var observations = history.Observations;
        var next = observations.Length - 1;
        return new(
            CountBack(observations, ref next, ref counter, now.At - 10 * Minute), CountBack(observations, ref next, ref counter, now.At - AnHour),
            CountBack(observations, ref next, ref counter, now.At - ADay), CountBack(observations, ref next, ref counter, now.At - 7 * ADay),
            CountBack(observations, ref next, ref counter, now.At - 30 * ADay));
    }

    private static Window CountBack(ReadOnlySpan<Observation> observations, ref int next, ref Counter counter, uint after)
    {
        for (; next >= 0 && observations[next].At > after; next--)
            counter.Add(observations[next]);
        return counter.ToWindow();
    }

    private ref struct Counter
    {
        private Distinct _cards, _newCards, _shoppers, _freshShoppers, _devices, _addresses, _declinedCards;
        private int _count, _small, _declines, _stopped, _suspects;
        private double _amount;

        public void Add(in Observation observation)
        {
            _count++;
            _amount += observation.Amount;
            if (observation.Amount < SmallAmount)
                _small++;
            _cards.Add(observation.Card);
            if ((observation.Marks & ObservationMarks.NewCard) != 0)
                _newCards.Add(observation.Card);
            _shoppers.Add(observation.Shopper);
            if ((observation.Marks & ObservationMarks.FreshShopper) != 0)
                _freshShoppers.Add(observation.Shopper);
            _devices.Add(observation.Device);
            _addresses.Add(observation.Address);
            if (observation.IsDeclined)
            {
                _declines++;
                _declinedCards.Add(observation.Card);
            }
            if (observation.IsStopped)
                _stopped++;
            if (observation.IsSuspect)
                _suspects++;
        }

        public readonly Window ToWindow() => new(_count, _amount, _small, _cards.Count, _newCards.Count, _shoppers.Count, _freshShoppers.Count,
            _devices.Count, _addresses.Count, _declines, _declinedCards.Count, _stopped, _suspects);
    }

    /// <summary>A set of the few short keys that a history can have.</summary>
    private struct Distinct
    {
        private Keys _keys;

        public int Count { get; private set; }

        public void Add(uint key)
        {
            if (key != 0 && !((ReadOnlySpan<uint>)_keys)[..Count].Contains(key))
                _keys[Count++] = key;
        }

        [System.Runtime.CompilerServices.InlineArray(History.Capacity + 1)]
        private struct Keys
        {
            private uint _first;
        }
    }
}
