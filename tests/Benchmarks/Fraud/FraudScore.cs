namespace Shop.Benchmarks.Fraud;

/// <summary>How well a stream was judged.</summary>
/// <param name="AttacksStopped">Attacks of which one of the first five payments was stopped, and every later one, by all attacks.</param>
/// <param name="MoneyStopped">Stopped fraudulent amounts by all fraudulent amounts.</param>
/// <param name="LegitimateStopped">Stopped legitimate payments by all legitimate payments.</param>
internal sealed record FraudScore(double AttacksStopped, double MoneyStopped, double LegitimateStopped)
{
    /// <summary>The first payments of an attack among which one has to be stopped.</summary>
    private const int First = 5;

    public static FraudScore Of(IReadOnlyList<LabelledPayment> payments, IReadOnlyList<bool> stopped)
    {
        var judged = payments.Select((payment, i) => (Payment: payment, IsStopped: stopped[i])).ToList();
        var attacks = judged.Where(one => one.Payment.IsFraud).GroupBy(one => one.Payment.Attack ?? one.Payment.Label).ToList();
        var legitimate = judged.Where(one => !one.Payment.IsFraud).ToList();
        return new(
            Share(attacks.Count(attack => IsStopped(attack.Select(one => one.IsStopped))), attacks.Count),
            Share(judged.Where(one => one.Payment.IsFraud && one.IsStopped).Sum(InUnits), judged.Where(one => one.Payment.IsFraud).Sum(InUnits)),
            Share(legitimate.Count(one => one.IsStopped), legitimate.Count));
    }

    /// <summary>One of the first payments is stopped, and every one after it.</summary>
    public static bool IsStopped(IEnumerable<bool> attack)
    {
        var before = attack.TakeWhile(stopped => !stopped).Count();
        return before < First && attack.Skip(before).All(stopped => stopped) && attack.Skip(before).Any();
    }

    private static double InUnits((LabelledPayment Payment, bool) one) => (double)one.Payment.Amount;

    private static double Share(double part, double whole) => whole == 0 ? double.NaN : part / whole;
}
