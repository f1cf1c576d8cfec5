using System.Text.Json.Serialization;

namespace Shop.Payments.ScreeningPayments.Rules;

/// <summary>The shopper, card, device or address of a payment that was stopped comes again: whoever attacks goes on.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record FollowsStopped() : Rule(100)
{
    /// <summary>What following alone comes to: with nothing else to be said against it, the payment waits for an operator.</summary>
    private const double Suspicion = 0.6;

    /// <summary>Days after which card and device count as the shopper's own, which a stranger's attack does not taint.</summary>
    public double OwnDays { get; init; } = 7;

    /// <summary>The part of the payments that has to have been stopped for a single suspicion to last.</summary>
    public double StoppedShare { get; init; } = 0.5;

    /// <summary>Who ordered first less than so many days ago has a new account.</summary>
    public double NewDays { get; init; } = 30;

    /// <summary>Stopped payments at an address within a week from which it is tainted, for new shoppers.</summary>
    public double AddressStopped { get; init; } = 2;

    /// <summary>So many more neighbours in good standing than suspects speak for an address.</summary>
    public double KnownNeighbours { get; init; } = 3;

    /// <summary>The part of the address's payments that they have to be.</summary>
    public double AddressShare { get; init; } = 0.4;

    internal override Finding? Look(Features features)
    {
        var isOwn = features.DeviceAge >= OwnDays && features.CardAge >= OwnDays;
        if (isOwn)
            return null;
        // colleagues and families pay with one card: what one of them did taints nobody else who has long been known
        var isSharing = features.AccountAge >= OwnDays && features.CardAge is not null;
        var suspects = 0;
        foreach (var windows in (ReadOnlySpan<SlidingWindows>)[features.Device, features.Shopper, isSharing ? SlidingWindows.None : features.Card])
            suspects = Math.Max(suspects, IsTainted(windows, features) ? windows.Month.Suspects : 0);
        // an address is shared by honest people: it is tainted where most of what goes there was stopped, for new shoppers
        var address = features.Address.Week;
        var atAddress = features.AccountAge < OwnDays && features.Neighbours < address.Suspects + KnownNeighbours && address.Stopped >= AddressShare * (address.Count - 1) ? address.Suspects : 0;
        // to be looked at, not to be refused: whoever knows an address could have all its newcomers refused
        var strength = Math.Max(suspects > 0 ? Suspicion : 0, Math.Min(Suspicion, Grade(atAddress, AddressStopped, AddressStopped + 2)));
        return strength == 0 ? null : new(strength, ("suspects", suspects), ("suspectsAtAddress", address.Suspects));
    }

    /// <summary>For a day; for longer where suspicion is most of what is known: for a month with a new account, for a week with an old one, whose owner will want it back.</summary>
    private bool IsTainted(SlidingWindows windows, Features features)
    {
        if (windows.Day.Suspects > 0 || (windows.Month.Suspects > 0 && features.AccountAge < OwnDays))
            return true;
        var longest = features.AccountAge < NewDays ? windows.Month : windows.Week;
        return longest.Suspects > 0 && longest.Stopped >= StoppedShare * (longest.Count - 1);
    }
}
