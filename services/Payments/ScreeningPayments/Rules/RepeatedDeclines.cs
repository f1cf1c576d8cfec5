using System.Text.Json.Serialization;

namespace Shop.Payments.ScreeningPayments.Rules;

/// <summary>The bank says no more often than it does to somebody who mistyped or was short of money.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record RepeatedDeclines() : Rule(100)
{
    /// <summary>Refusals of one shopper, card or device within a day.</summary>
    public double Day { get; init; } = 6;

    internal override Finding? Look(Features features)
    {
        var declines = Math.Max(features.Shopper.Day.Declines, Math.Max(features.Card.Day.Declines, features.Device.Day.Declines));
        var strength = Grade(declines, Day, Day + 3);
        return strength == 0 ? null : new(strength, ("declines", declines));
    }
}
