using System.Text.Json.Serialization;

namespace Shop.Payments.ScreeningPayments.Rules;

/// <summary>A known shopper orders from a device never seen with that account, and more than that is out of the ordinary: address, country, card, amount, pace.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record AccountTakeover() : Rule(100)
{
    private const int GiftAddresses = 3;

    /// <summary>Days after which a device counts as the shopper's own.</summary>
    public double Days { get; init; } = 3;

    /// <summary>What has to come together.</summary>
    public double Evidence { get; init; } = 3;

    /// <summary>What has to come together where nothing is remembered of the shopper.</summary>
    public double Unremembered { get; init; } = 2.5;

    /// <summary>The amount from which a payment counts there, in standard deviations above the usual one.</summary>
    public double Large { get; init; } = 1.75;

    /// <summary>What a new address adds, where it is not one of many: those are gifts.</summary>
    public double NewAddress { get; init; } = 1;

    /// <summary>What a new country adds.</summary>
    public double NewCountry { get; init; } = 0.75;

    /// <summary>What a new card adds.</summary>
    public double NewCard { get; init; } = 0.75;

    /// <summary>What each standard deviation above the shopper's usual amount adds, up to three.</summary>
    public double Amount { get; init; } = 0.6;

    /// <summary>What each further payment from the device within a day adds.</summary>
    public double Repetition { get; init; } = 0.75;

    /// <summary>What each other account that the device used within a day adds.</summary>
    public double OtherAccount { get; init; } = 0.5;

    internal override Finding? Look(Features features)
    {
        if (features.AccountAge < Days || features.DeviceAge >= Days)
            return null;
        var isRemembered = features.OwnHistory >= Days;
        var isGiving = features.Shopper.Day.Addresses >= GiftAddresses;
        // an account of which nothing is remembered has nothing to differ from: there it takes large amounts, from a place where nobody is known
        if (!isRemembered && (isGiving || features.AmountDeviation < Large || features.DeviceSeen >= 1 || features.Neighbours > 0 || features.CardOwners > 0))
            return null;
        // a device that hides is a new one, where others do not
        var hides = features.Device.Day.Count == 0;
        if (hides && !features.HasDevices)
            return null;
        var deviation = features.OwnAmountDeviation ?? features.AmountDeviation;
        var payments = hides ? features.Shopper.Day.Count : Math.Min(features.Device.Day.Count, features.Shopper.Day.Count);
        var evidence = Math.Clamp(deviation, 0, 3) * Amount + (payments - 1) * Repetition + Math.Max(0, features.Device.Day.Shoppers - 1) * OtherAccount;
        if (isRemembered)
        {
            evidence += 1 + (IsNew(features.AddressAge) && !isGiving ? NewAddress : 0)
                + (IsNew(features.CountryAge) ? NewCountry : 0) + (IsNew(features.CardAge) ? NewCard : 0);
        }
        var wanted = isRemembered ? Evidence : Unremembered;
        var strength = Grade(evidence, wanted, wanted + 2);
        return strength == 0 ? null : new(strength, ("ownPayments", features.OwnPayments), ("evidence", evidence), ("amountDeviation", deviation), ("payments", payments));
    }

    private bool IsNew(double? age) => age is null || age < Days;
}
