namespace Shop.Payments.ScreeningPayments;

/// <summary>The histories that a payment is judged by.</summary>
/// <param name="Card">The card's.</param>
/// <param name="Shopper">The shopper's.</param>
/// <param name="Device">The device's; null where it is not known.</param>
/// <param name="Address">The address's; null where it is not known.</param>
/// <param name="Amounts">What is usual in the payment's currency.</param>
public sealed record Histories(History Card, History Shopper, History? Device, History? Address, AmountDistribution Amounts)
{
    /// <summary>Adds a screened payment to all of them.</summary>
    public void Add(PaymentFacts facts, in Observation observation, Assessment assessment)
    {
        var seen = observation;
        if (assessment.Verdict != Verdict.Authorize)
            seen.Marks |= ObservationMarks.Stopped | (assessment.IsOnOwnGrounds ? ObservationMarks.OnOwnGrounds : 0);
        else
            Amounts.Add(facts.Amount);
        Card.Add(seen);
        Shopper.Add(seen);
        Device?.Add(seen);
        Address?.Add(seen);
    }
}
