using Shop.Contracts;
using Shop.Payments.ScreeningPayments;

namespace Shop.Payments.TryingRules;

/// <summary>What rules that are tried out would have decided otherwise than those in force.</summary>
/// <param name="Screened">The payments that both looked at.</param>
/// <param name="Differences">How many were decided otherwise, by decision.</param>
/// <param name="Rules">How often each rule fired.</param>
/// <param name="Examples">Some of the payments that were decided otherwise.</param>
public sealed record ComparisonReport(long Screened, IReadOnlyList<DifferenceCount> Differences, IReadOnlyList<RuleCount> Rules, IReadOnlyList<DifferentDecision> Examples);

/// <summary>Payments that were decided otherwise in one way.</summary>
/// <param name="Live">What the rules in force decide.</param>
/// <param name="Shadow">What those that are tried out would.</param>
/// <param name="Payments">How many.</param>
public sealed record DifferenceCount(Verdict Live, Verdict Shadow, long Payments);

/// <summary>How often a rule fired.</summary>
/// <param name="Rule">Its name.</param>
/// <param name="Live">Payments it fired for, as it is in force.</param>
/// <param name="Shadow">Payments it fired for, as it is tried out.</param>
public sealed record RuleCount(string Rule, long Live, long Shadow);

/// <summary>A payment that was decided otherwise.</summary>
/// <param name="PaymentId">The payment.</param>
/// <param name="At">When it was requested.</param>
/// <param name="Live">The decision in force.</param>
/// <param name="Shadow">The decision of the rules that are tried out.</param>
public sealed record DifferentDecision(Guid PaymentId, DateTimeOffset At, DecisionView Live, DecisionView Shadow);

/// <summary>A decision with its grounds.</summary>
/// <param name="Decision">What is done.</param>
/// <param name="Score">From 0 (harmless) to 1 (fraud).</param>
/// <param name="Rules">The rules that fired, with what they saw.</param>
public sealed record DecisionView(Verdict Decision, double Score, IReadOnlyList<FiredRule> Rules);

/// <summary>Counts what two sets of rules decide about the same payments.</summary>
public sealed class RuleComparison
{
    /// <summary>The most examples of one kind of difference that are kept.</summary>
    public const int MaxExamples = 20;

    private readonly Dictionary<(Verdict Live, Verdict Shadow), long> _decisions = [];
    private readonly Dictionary<string, RuleCount> _rules = new(StringComparer.Ordinal);
    private readonly List<DifferentDecision> _examples = [];

    /// <summary>How many payments were decided in which ways; equal decisions too.</summary>
    public IReadOnlyDictionary<(Verdict Live, Verdict Shadow), long> Decisions => _decisions;

    /// <summary>How often each rule fired.</summary>
    public IReadOnlyCollection<RuleCount> Rules => _rules.Values;

    /// <summary>Payments that were decided otherwise, at most <see cref="MaxExamples"/> of a kind.</summary>
    public IReadOnlyList<DifferentDecision> Examples => _examples;

    /// <summary>Adds a payment.</summary>
    public void Add(PaymentFacts facts, Assessment live, Assessment shadow)
    {
        var kind = (live.Verdict, shadow.Verdict);
        var count = _decisions[kind] = _decisions.GetValueOrDefault(kind) + 1;
        foreach (var rule in live.Rules)
            Count(rule.Rule, live: 1, shadow: 0);
        foreach (var rule in shadow.Rules)
            Count(rule.Rule, live: 0, shadow: 1);
        if (live.Verdict != shadow.Verdict && count <= MaxExamples)
            _examples.Add(new(facts.PaymentId, facts.At, View(live), View(shadow)));
    }

    /// <summary>What was found.</summary>
    public ComparisonReport ToReport() => Report(_decisions.Select(decision => new DifferenceCount(decision.Key.Live, decision.Key.Shadow, decision.Value)), _rules.Values, _examples);

    /// <summary>What was found, from its counts.</summary>
    internal static ComparisonReport Report(IEnumerable<DifferenceCount> decisions, IEnumerable<RuleCount> rules, IEnumerable<DifferentDecision> examples)
    {
        var all = decisions.ToList();
        return new(all.Sum(decision => decision.Payments), [.. all.Where(decision => decision.Live != decision.Shadow).OrderByDescending(decision => decision.Payments)],
            [.. rules.OrderBy(rule => rule.Rule, StringComparer.Ordinal)], [.. examples]);
    }

    private void Count(string rule, int live, int shadow)
    {
        var before = _rules.GetValueOrDefault(rule) ?? new(rule, 0, 0);
        _rules[rule] = before with { Live = before.Live + live, Shadow = before.Shadow + shadow };
    }

    private static DecisionView View(Assessment assessment) => new(assessment.Verdict, assessment.Score, assessment.Rules);
}
