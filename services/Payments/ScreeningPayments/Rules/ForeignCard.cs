using System.Text.Json.Serialization;

namespace Shop.Payments.ScreeningPayments.Rules;

/// <summary>A card that others pay with appears with a shopper who shares neither device nor address with them.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ForeignCard() : Rule(70)
{
    /// <summary>Days after which the card counts as this shopper's own.</summary>
    public double Days { get; init; } = 2;

    internal override Finding? Look(Features features)
    {
        if (features.CardOwners == 0 || features.SharesHousehold || features.CardAge >= Days)
            return null;
        var strength = (features.AccountAge < Days ? 0.75 : 0.5) + (features.AmountDeviation > 1 ? 0.25 : 0);
        return new(strength, ("cardOwners", features.CardOwners), ("accountAgeDays", features.AccountAge), ("amountDeviation", features.AmountDeviation));
    }
}
