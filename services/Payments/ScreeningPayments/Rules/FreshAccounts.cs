using System.Text.Json.Serialization;

namespace Shop.Payments.ScreeningPayments.Rules;

/// <summary>Several new shoppers share a device, a card or, in a short time, an address where nobody is known: they are one person.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record FreshAccounts() : Rule(100)
{
    /// <summary>New shoppers of one device or card within a day.</summary>
    public double SameDevice { get; init; } = 3;

    /// <summary>New shoppers of one device within an hour.</summary>
    public double SameDeviceHour { get; init; } = 2;

    /// <summary>New shoppers at one address within an hour, less those who are known there.</summary>
    public double AddressHour { get; init; } = 3;

    /// <summary>New shoppers at one address within a day, less those who are known there.</summary>
    public double AddressDay { get; init; } = 4;

    internal override Finding? Look(Features features)
    {
        if (features.AccountAge >= 1)
            return null;
        var device = Math.Max(features.Device.Day.FreshShoppers, features.Card.Day.FreshShoppers);
        double strangersHour = Strangers(features.Address.Hour, features), strangersDay = Strangers(features.Address.Day, features);
        var deviceHour = features.Device.Hour.FreshShoppers;
        var strength = Math.Max(Math.Max(Grade(device, SameDevice, SameDevice + 2), Grade(deviceHour, SameDeviceHour, SameDeviceHour + 2)),
            Math.Max(Grade(strangersHour, AddressHour, AddressHour + 2), Grade(strangersDay, AddressDay, AddressDay + 2)));
        return strength == 0 ? null : new(strength, ("freshShoppersOfDeviceOrCard", device), ("freshShoppersAtAddress", features.Address.Day.FreshShoppers), ("neighbours", features.Neighbours));
    }

    /// <summary>From a browser that has been here before, and not known at the address. Whoever keeps no cookie at all is no browser, and tells nothing by it.</summary>
    private static double Strangers(in Window window, Features features) => Math.Min(window.FreshShoppers, window.Devices) - features.Neighbours;
}
