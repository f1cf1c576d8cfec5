using System.Text.Json.Serialization;

namespace Shop.Payments.ScreeningPayments.Rules;

/// <summary>A new shopper spends much, again and again: one large first order is a generous newcomer's, several are a stolen card's.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record NewcomerSpending() : Rule(100)
{
    private const int GiftAddresses = 3;

    /// <summary>Who ordered first less than so many days ago is new.</summary>
    public double Days { get; init; } = 5;

    /// <summary>The amount from which a payment that is not the first counts, in standard deviations above the usual one.</summary>
    public double Deviation { get; init; } = 0.8;

    /// <summary>What the day's payments together come to, in standard deviations above one usual payment.</summary>
    public double Together { get; init; } = 3;

    /// <summary>By how much less it has to be for each payment after the second.</summary>
    public double Repetition { get; init; } = 0.4;

    /// <summary>By how much more it has to be where one card sends to several addresses: those are gifts.</summary>
    public double Gifts { get; init; } = 1.2;

    internal override Finding? Look(Features features)
    {
        if (features.AccountAge >= Days || features.CardAge >= Days || features.AmountDeviation < Deviation)
            return null;
        var day = Largest(features);
        if (day.Count < 2)
            return null;
        var together = features.Deviation(day.Amount);
        var wanted = Together - Repetition * Math.Min(3, day.Count - 2);
        if (day is { Cards: 1, Addresses: >= GiftAddresses })
            wanted += Gifts;
        var strength = Grade(together, wanted, wanted + 1.5);
        return strength == 0 ? null : new(strength, ("accountAgeDays", features.AccountAge), ("payments", day.Count), ("amountDeviation", together));
    }

    /// <summary>New shoppers that share a card or a device are one.</summary>
    private static Window Largest(Features features)
    {
        var largest = features.Shopper.Day;
        foreach (var windows in (ReadOnlySpan<SlidingWindows>)[features.Card, features.Device])
        {
            if (windows.Day.FreshShoppers == windows.Day.Shoppers && windows.Day.Amount > largest.Amount)
                largest = windows.Week;
        }
        return largest;
    }
}
