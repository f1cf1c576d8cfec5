using Shop.Contracts;
using Shop.Payments.ScreeningPayments.Rules;

namespace Shop.Payments.ScreeningPayments;

/// <summary>Decides about payments by one set of rules: a function of the payment and its histories.</summary>
/// <param name="rules">The rules.</param>
public sealed class Screener(RuleSet rules)
{
    private const double NewAccountDays = 30;

    private readonly IReadOnlyList<Rule> _rules = rules.All();

    /// <summary>Decides about a payment, and adds it to its histories.</summary>
    public Assessment Screen(PaymentFacts facts, in HistoryKeys keys, Histories histories) => Screen(facts, keys, histories, null).Decided;

    /// <summary>The same, and what other rules would have decided: they see the same features, and change nothing.</summary>
    public (Assessment Decided, Assessment? Otherwise) Screen(PaymentFacts facts, in HistoryKeys keys, Histories histories, Screener? other)
    {
        var observation = FeatureExtraction.Observe(facts, keys, histories);
        var features = FeatureExtraction.Extract(facts, observation, histories);
        var assessment = Assess(features);
        histories.Add(facts, observation, assessment);
        return (assessment, other?.Assess(features));
    }

    /// <summary>Decides by features alone.</summary>
    public Assessment Assess(Features features)
    {
        List<FiredRule>? fired = null;
        double points = 0, following = 0;
        foreach (var rule in _rules)
        {
            if (rule.Points == 0 || rule.Look(features) is not { } finding)
                continue;
            var given = Math.Round(rule.Points * finding.Strength, 1);
            points += given;
            if (rule is FollowsStopped)
                following = given;
            (fired ??= []).Add(new(rule.Name, given, finding.Features.ToDictionary(feature => feature.Name, feature => Math.Round(feature.Value, 2), StringComparer.Ordinal)));
        }
        var verdict = points >= rules.DeclineAt ? Verdict.Decline : points >= rules.HoldAt ? Verdict.Hold : Verdict.Authorize;
        return new(verdict, Math.Round(Math.Clamp(points, 0, 100) / 100, 3), fired ?? []) { IsOnOwnGrounds = points - following >= (features.AccountAge < NewAccountDays ? rules.HoldAt : rules.TaintAt) };
    }
}
