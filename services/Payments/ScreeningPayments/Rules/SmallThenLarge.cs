using System.Text.Json.Serialization;

namespace Shop.Payments.ScreeningPayments.Rules;

/// <summary>A card that is new here pays very little, then much: it was tried out.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record SmallThenLarge() : Rule(80)
{
    /// <summary>The amount that is large, in standard deviations above the usual one.</summary>
    public double Deviation { get; init; } = 1;

    /// <summary>Small payments before it, within a week.</summary>
    public double Small { get; init; } = 1;

    internal override Finding? Look(Features features)
    {
        if (features.AccountAge >= 7 || features.AmountDeviation < Deviation || features.CardSeen is null or >= 7)
            return null;
        var small = Math.Max(features.Card.Week.Small, features.Shopper.Week.Small);
        var strength = Grade(small, Small, Small + 2);
        return strength == 0 ? null : new(strength, ("smallPayments", small), ("amountDeviation", features.AmountDeviation));
    }
}
