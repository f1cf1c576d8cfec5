namespace Shop.Payments.ScreeningPayments;

/// <summary>All that rules see of a payment. Ages are in days; null where the thing has not been seen, or is not known.</summary>
public sealed record Features
{
    /// <summary>The amount as a multiple of the usual one.</summary>
    public required double Amount { get; init; }

    /// <summary>How far the amount is above the usual one, in standard deviations of its logarithm; 0 while the usual one is not known.</summary>
    public required double AmountDeviation { get; init; }

    /// <summary>The standard deviation of the logarithm of amounts: what a factor means differs between shops.</summary>
    public required double AmountSpread { get; init; }

    /// <summary>How far the amount is above what this shopper usually pays, in standard deviations; null with fewer than three payments to compare with.</summary>
    public required double? OwnAmountDeviation { get; init; }

    /// <summary>Since the shopper's first order; 0 where this is the first.</summary>
    public required double AccountAge { get; init; }

    /// <summary>Payments of the shopper that went well and are older than a day.</summary>
    public required int OwnPayments { get; init; }

    /// <summary>Since the oldest payment of the shopper that is remembered and went well.</summary>
    public required double? OwnHistory { get; init; }

    /// <summary>Whether the shopper is known to order from devices that are known.</summary>
    public required bool HasDevices { get; init; }

    /// <summary>Since the shopper first paid with this card.</summary>
    public required double? CardAge { get; init; }

    /// <summary>Since the shopper first ordered from this device.</summary>
    public required double? DeviceAge { get; init; }

    /// <summary>Since the shopper first had something sent to this address.</summary>
    public required double? AddressAge { get; init; }

    /// <summary>Since the shopper first had something sent to this country.</summary>
    public required double? CountryAge { get; init; }

    /// <summary>Since anybody first paid with this card.</summary>
    public required double? CardSeen { get; init; }

    /// <summary>Since anybody first ordered from this device.</summary>
    public required double? DeviceSeen { get; init; }

    /// <summary>Since anything was first sent to this address.</summary>
    public required double? AddressSeen { get; init; }

    /// <summary>Other shoppers that paid with this card more than a day ago, and went well.</summary>
    public required int CardOwners { get; init; }

    /// <summary>Whether one of <see cref="CardOwners"/> did so from this device or to this address: a household, not a thief.</summary>
    public required bool SharesHousehold { get; init; }

    /// <summary>Shoppers at this address that are not new and paid well.</summary>
    public required int Neighbours { get; init; }

    /// <summary>The card's windows.</summary>
    public required SlidingWindows Card { get; init; }

    /// <summary>The shopper's windows.</summary>
    public required SlidingWindows Shopper { get; init; }

    /// <summary>The device's windows.</summary>
    public required SlidingWindows Device { get; init; }

    /// <summary>The address's windows.</summary>
    public required SlidingWindows Address { get; init; }

    /// <summary>How far an amount, as a multiple of the usual one, is above it, in standard deviations.</summary>
    internal double Deviation(double amount) => amount <= 0 ? 0 : Math.Log(amount) / AmountSpread;
}
