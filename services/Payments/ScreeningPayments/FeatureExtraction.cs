namespace Shop.Payments.ScreeningPayments;

/// <summary>Turns a payment and its histories into <see cref="Features"/>: a pure function, with no look at clock or store.</summary>
public static class FeatureExtraction
{
    /// <summary>A shopper is new for so long after the first order.</summary>
    private const double FreshDays = 1;

    /// <summary>What was first seen less than this ago may be part of the same attack, so it vouches for nothing.</summary>
    private const uint VouchesAfter = 86_400;

    private const double SecondsADay = 86_400;

    /// <summary>Own payments that what is usual for everybody counts as, when a shopper's own spread is estimated.</summary>
    private const double PriorWeight = 3;

    /// <summary>The payment as it is going to be remembered.</summary>
    public static Observation Observe(PaymentFacts facts, HistoryKeys keys, Histories histories)
    {
        var marks = ObservationMarks.None;
        if (AccountAge(facts) < FreshDays)
            marks |= ObservationMarks.FreshShopper;
        var shopper = HistoryKeys.Short(keys.Shopper);
        // new in this hour is new: somebody who tries twice has not made the card an old one
        if (IsNew(histories.Card, facts))
            marks |= ObservationMarks.NewCard;
        if (histories.Device is { } device && IsNew(device, facts))
            marks |= ObservationMarks.NewDevice;
        if (histories.Address is { } address && IsNew(address, facts))
            marks |= ObservationMarks.NewAddress;
        return new()
        {
            At = Seconds(facts.At),
            Payment = HistoryKeys.ShortOfPayment(facts.PaymentId),
            Card = HistoryKeys.Short(keys.Card),
            Shopper = shopper,
            Device = HistoryKeys.Short(keys.Device),
            Address = HistoryKeys.Short(keys.Address),
            Amount = (float)histories.Amounts.Relative(facts.Amount),
            Country = facts.Country is [var first, var second] ? (ushort)(first << 8 | second & 0xFF) : (ushort)0,
            Marks = marks,
        };
    }

    /// <summary>The features of a payment.</summary>
    public static Features Extract(PaymentFacts facts, in Observation now, Histories histories)
    {
        var shopper = histories.Shopper.Observations;
        var shopperWindows = SlidingWindows.Of(histories.Shopper, now);
        var (ownPayments, ownDeviation) = CompareWithOwn(shopper, now, histories.Amounts);
        double? history = null, card = null, device = null, address = null, country = null;
        var hasDevices = false;
        // oldest first: the first that matches tells the age
        foreach (ref readonly var own in shopper)
        {
            if (!own.IsClean)
                continue;
            history ??= Age(own.At, now);
            hasDevices |= own.Device != 0;
            if (own.Card == now.Card)
                card ??= Age(own.At, now);
            if (own.Device == now.Device && now.Device != 0)
                device ??= Age(own.At, now);
            if (own.Address == now.Address && now.Address != 0)
                address ??= Age(own.At, now);
            if (own.Country == now.Country && now.Country != 0)
                country ??= Age(own.At, now);
        }
        var (owners, sharesHousehold) = FindOwners(histories.Card.Observations, now);
        return new()
        {
            Amount = now.Amount,
            AmountDeviation = Math.Log(now.Amount) / histories.Amounts.Spread,
            AmountSpread = histories.Amounts.Spread,
            OwnAmountDeviation = ownDeviation,
            AccountAge = AccountAge(facts),
            OwnPayments = ownPayments,
            OwnHistory = history,
            HasDevices = hasDevices,
            CardAge = card,
            DeviceAge = device,
            AddressAge = address,
            CountryAge = country,
            CardSeen = Seen(histories.Card, now),
            DeviceSeen = Seen(histories.Device, now),
            AddressSeen = Seen(histories.Address, now),
            CardOwners = owners,
            SharesHousehold = sharesHousehold,
            Neighbours = CountNeighbours(histories.Address, now),
            Card = SlidingWindows.Of(histories.Card, now),
            Shopper = shopperWindows,
            Device = histories.Device is { } deviceHistory ? SlidingWindows.Of(deviceHistory, now) : SlidingWindows.None,
            Address = histories.Address is { } addressHistory ? SlidingWindows.Of(addressHistory, now) : SlidingWindows.None,
        };
    }

    private static double AccountAge(PaymentFacts facts) =>
        facts.FirstOrderAt is { } first ? Math.Max(0, (facts.At - first).TotalDays) : 0;

    private static bool IsNew(History history, PaymentFacts facts) => history.Total == 0 || Seconds(facts.At) < history.FirstSeenAt + 3_600L;

    private static double Age(uint at, in Observation now) => now.At > at ? (now.At - at) / SecondsADay : 0;

    private static double? Seen(History? history, in Observation now) => history is { Total: > 0 } ? Age(history.FirstSeenAt, now) : null;

    private static uint Seconds(DateTimeOffset at) => (uint)Math.Clamp(at.ToUnixTimeSeconds(), SlidingWindows.LongestSeconds, uint.MaxValue);

    /// <summary>In logarithms, since amounts are skewed; a shopper with few payments is taken to spread as everybody does.</summary>
    private static (int Payments, double? Deviation) CompareWithOwn(ReadOnlySpan<Observation> own, in Observation now, AmountDistribution amounts)
    {
        int payments = 0, compared = 0;
        double sum = 0, squares = 0;
        foreach (ref readonly var one in own)
        {
            if (!one.IsClean)
                continue;
            if (now.At > one.At + VouchesAfter)
                payments++;
            else
                continue;
            var log = Math.Log(one.Amount);
            compared++;
            sum += log;
            squares += log * log;
        }
        if (compared < 3)
            return (payments, null);
        var mean = sum / compared;
        var variance = (Math.Max(0, squares - sum * mean) + PriorWeight * amounts.Spread * amounts.Spread) / (compared - 1 + PriorWeight);
        return (payments, (Math.Log(now.Amount) - mean) / Math.Sqrt(variance));
    }

    private static (int Owners, bool SharesHousehold) FindOwners(ReadOnlySpan<Observation> card, in Observation now)
    {
        var others = new HashSet<uint>();
        var shares = false;
        foreach (ref readonly var one in card)
        {
            if (!one.IsClean || one.Shopper == now.Shopper || now.At <= one.At + VouchesAfter)
                continue;
            others.Add(one.Shopper);
            shares |= (one.Device == now.Device && now.Device != 0) || (one.Address == now.Address && now.Address != 0);
        }
        return (others.Count, shares);
    }

    private static int CountNeighbours(History? address, in Observation now)
    {
        if (address is null)
            return 0;
        var neighbours = new HashSet<uint>();
        foreach (ref readonly var one in address.Observations)
        {
            if (one.IsClean && one.Shopper != now.Shopper && now.At > one.At + VouchesAfter)
                neighbours.Add(one.Shopper);
        }
        return neighbours.Count;
    }
}
