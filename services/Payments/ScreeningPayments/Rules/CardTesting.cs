using System.Text.Json.Serialization;

namespace Shop.Payments.ScreeningPayments.Rules;

/// <summary>Many cards that were never seen before come through one shopper, device or address, and the bank refuses some: somebody tries out stolen numbers.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CardTesting() : Rule(100)
{
    /// <summary>New cards and refused cards together, within a day, of one shopper or device.</summary>
    public double DayEvidence { get; init; } = 5.5;

    /// <summary>The same within a week, where at least one card was refused.</summary>
    public double WeekEvidence { get; init; } = 6;

    /// <summary>What a payment of a small amount adds to the evidence: testing is to cost nothing.</summary>
    public double SmallAmount { get; init; } = 0.25;

    /// <summary>The same at an address within a week, where <see cref="AddressShare"/> of the payments was refused: an address is shared by honest people.</summary>
    public double AddressEvidence { get; init; } = 6.5;

    /// <summary>The part of an address's payments that is refused where cards are tested.</summary>
    public double AddressShare { get; init; } = 0.3;

    /// <summary>Neighbours in good standing from which an address is no single person's.</summary>
    public double Neighbours { get; init; } = 6;

    internal override Finding? Look(Features features)
    {
        Finding? found = null;
        foreach (var windows in (ReadOnlySpan<SlidingWindows>)[features.Shopper, features.Device])
        {
            Keep(ref found, windows.Day, Grade(Evidence(windows.Day), DayEvidence, DayEvidence + 3));
            if (windows.Week.DeclinedCards > 0)
                Keep(ref found, windows.Week, Grade(Evidence(windows.Week), WeekEvidence, WeekEvidence + 3));
        }
        var address = features.Address.Week;
        if (features.Neighbours < Neighbours && address.Declines >= AddressShare * (address.Count - address.Stopped))
            Keep(ref found, address, Grade(Evidence(address), AddressEvidence, AddressEvidence + 3));
        return found;
    }

    private double Evidence(in Window window) => window.NewCards < 3 ? 0 : window.NewCards + window.DeclinedCards + SmallAmount * window.Small;

    private static void Keep(ref Finding? found, in Window window, double strength)
    {
        if (strength > (found?.Strength ?? 0))
            found = new(strength, ("newCards", window.NewCards), ("declinedCards", window.DeclinedCards), ("smallPayments", window.Small));
    }
}
