using System.Diagnostics;
using System.Globalization;
using Shop.Payments.ScreeningPayments;

namespace Shop.Benchmarks.Fraud;

/// <summary>
/// How well screening tells fraud from what people do, on a generated stream (<c>--seed N</c>) or one that somebody else made
/// (<c>--stream FILE</c>), by the code that runs in Payments, with plain velocity limits on the same stream as the denominator.
/// </summary>
/// <param name="seed">The generated world.</param>
/// <param name="stream">A labelled stream to use instead.</param>
/// <param name="decisions">Where decisions are written; null for nowhere.</param>
internal sealed class FraudBench(int seed, string? stream, string? decisions)
{
    private const double AttacksGoal = 0.95, OthersAttacksGoal = 0.93, MoneyGoal = 0.85, LegitimateGoal = 0.01;
    private const string Baseline = "velocity limits alone";

    public Task RunAsync(Report report, CancellationToken cancellationToken)
    {
        var payments = stream is null ? PaymentStream.Generate(seed) : StreamFile.Read(stream);
        var began = Stopwatch.GetTimestamp();
        var assessments = Screen(payments, cancellationToken);
        var took = Stopwatch.GetElapsedTime(began);
        if (decisions is not null)
            StreamFile.Write(decisions, assessments);

        var stopped = assessments.Select(assessment => assessment.Verdict != Verdict.Authorize).ToList();
        var limits = new VelocityLimits();
        var limited = payments.Select(limits.Stops).ToList();
        PrintKinds(payments, stopped, limited);
        Report.Progress(string.Create(CultureInfo.InvariantCulture, $"{payments.Count:N0} payments in {took.TotalSeconds:N1} s, features and rules alone"));

        FraudScore score = FraudScore.Of(payments, stopped), plain = FraudScore.Of(payments, limited);
        report.AddShare("fraud.attacks-stopped", score.AttacksStopped, new(Baseline, plain.AttacksStopped, "share"), stream is null ? AttacksGoal : OthersAttacksGoal);
        report.AddShare("fraud.money-stopped", score.MoneyStopped, new(Baseline, plain.MoneyStopped, "share"), MoneyGoal);
        report.AddShare("fraud.legitimate-stopped", score.LegitimateStopped, new(Baseline, plain.LegitimateStopped, "share"), LegitimateGoal, lowerIsBetter: true);
        return Task.CompletedTask;
    }

    /// <summary>The provider is asked for what is let pass, and its refusals are remembered; labels are not looked at.</summary>
    private static List<Assessment> Screen(IReadOnlyList<LabelledPayment> payments, CancellationToken cancellationToken)
    {
        var screener = new Screener(new RuleSet());
        var book = new HistoryBook();
        var assessments = new List<Assessment>(payments.Count);
        for (var i = 0; i < payments.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var payment = payments[i];
            var facts = new PaymentFacts(new(i + 1, 0, 0, new byte[8]), payment.At, payment.ShopperId, payment.Card, payment.Device, payment.Address,
                payment.Country, payment.Amount, payment.Currency, payment.FirstOrderAt);
            var keys = HistoryKeys.Of(facts);
            var assessment = screener.Screen(facts, keys, book.Of(facts, keys));
            if (assessment.Verdict == Verdict.Authorize && payment.Outcome == Outcome.Declined)
                book.Mark(facts.PaymentId, keys, ObservationMarks.Declined);
            assessments.Add(assessment);
        }
        return assessments;
    }

    private static void PrintKinds(IReadOnlyList<LabelledPayment> payments, List<bool> stopped, List<bool> limited)
    {
        var line = (string kind, string payments, string stopped, string money, string attacks, string limits) =>
            Report.Progress($"{kind,-28} {payments,9} {stopped,9} {money,9} {attacks,14} {limits,9}");
        line("kind", "payments", "stopped", "money", "attacks", "limits");
        foreach (var kind in Enumerable.Range(0, payments.Count).GroupBy(i => payments[i].IsFraud ? payments[i].Label : $"legit: {payments[i].Behaviour ?? "all"}").OrderBy(kind => kind.Key, StringComparer.Ordinal))
        {
            double money = kind.Sum(i => (double)payments[i].Amount), stoppedMoney = kind.Where(i => stopped[i]).Sum(i => (double)payments[i].Amount);
            var attacks = kind.GroupBy(i => payments[i].Attack).ToList();
            line(kind.Key, Number(kind.Count()), Percent(kind.Count(i => stopped[i]), kind.Count()), Percent(stoppedMoney, money),
                payments[kind.First()].IsFraud ? $"{attacks.Count(attack => FraudScore.IsStopped(attack.Select(i => stopped[i])))} of {attacks.Count}" : "",
                Percent(kind.Count(i => limited[i]), kind.Count()));
        }

        static string Number(int number) => number.ToString("N0", CultureInfo.InvariantCulture);

        static string Percent(double part, double whole) => (100 * part / whole).ToString("N1", CultureInfo.InvariantCulture) + " %";
    }
}
