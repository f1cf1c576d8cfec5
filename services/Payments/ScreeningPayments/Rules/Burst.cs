using System.Text.Json.Serialization;

namespace Shop.Payments.ScreeningPayments.Rules;

/// <summary>A new shopper, or one whom the bank refuses, pays faster than people shop. Who buys gifts or for an office is quick too, but neither.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record Burst() : Rule(100)
{
    /// <summary>Payments within ten minutes.</summary>
    public double TenMinutes { get; init; } = 20;

    /// <summary>Payments within an hour.</summary>
    public double Hour { get; init; } = 30;

    /// <summary>Who ordered first less than so many days ago is new.</summary>
    public double Days { get; init; } = 5;

    internal override Finding? Look(Features features)
    {
        if (features.AccountAge >= Days && features.Shopper.Hour.Declines < 2)
            return null;
        var minutes = Math.Max(features.Shopper.TenMinutes.Count, Math.Max(features.Card.TenMinutes.Count, features.Device.TenMinutes.Count));
        var hour = Math.Max(features.Shopper.Hour.Count, Math.Max(features.Card.Hour.Count, features.Device.Hour.Count));
        var strength = Math.Max(Grade(minutes, TenMinutes, TenMinutes + 10), Grade(hour, Hour, Hour + 10));
        return strength == 0 ? null : new(strength, ("paymentsInTenMinutes", minutes), ("paymentsInAnHour", hour));
    }
}
