using System.Text.Json.Serialization;

namespace Shop.Payments.ScreeningPayments.Rules;

/// <summary>Card and device have been this shopper's for long: speaks for the payment.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record Established() : Rule(-40)
{
    /// <summary>Days.</summary>
    public double Days { get; init; } = 14;

    internal override Finding? Look(Features features) =>
        features.CardAge >= Days && features.DeviceAge >= Days ? new(1, ("cardAgeDays", features.CardAge.Value), ("deviceAgeDays", features.DeviceAge.Value)) : null;
}
