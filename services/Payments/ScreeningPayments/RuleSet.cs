using System.Text.Json.Serialization;
using Shop.Contracts;
using Shop.Payments.ScreeningPayments.Rules;

namespace Shop.Payments.ScreeningPayments;

/// <summary>What is done with a payment.</summary>
public enum Verdict
{
    /// <summary>The provider is asked.</summary>
    Authorize,

    /// <summary>It waits for an operator.</summary>
    Hold,

    /// <summary>It is refused, and the provider never asked.</summary>
    Decline,
}

/// <summary>A decision with its grounds.</summary>
/// <param name="Verdict">What is done.</param>
/// <param name="Score">From 0 (harmless) to 1 (fraud).</param>
/// <param name="Rules">The rules that fired.</param>
public sealed record Assessment(Verdict Verdict, double Score, IReadOnlyList<FiredRule> Rules)
{
    /// <summary>Whether it would have been stopped too if nothing before it had been.</summary>
    internal bool IsOnOwnGrounds { get; init; }
}

/// <summary>The rules with their weights and thresholds: all that is configured about screening.</summary>
// what is misspelt would be as it was delivered, and nobody would know
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record RuleSet
{
    /// <summary>The score, in points, from which a payment waits for an operator.</summary>
    public double HoldAt { get; init; } = 50;

    /// <summary>The score, in points, from which a stopped payment of an account older than a month taints those that follow it; with a new account each does.</summary>
    public double TaintAt { get; init; } = 60;

    /// <summary>The score, in points, from which it is refused.</summary>
    public double DeclineAt { get; init; } = 90;

    /// <summary>See <see cref="Rules.CardTesting"/>.</summary>
    public CardTesting CardTesting { get; init; } = new();

    /// <summary>See <see cref="Rules.FreshAccounts"/>.</summary>
    public FreshAccounts FreshAccounts { get; init; } = new();

    /// <summary>See <see cref="Rules.NewcomerSpending"/>.</summary>
    public NewcomerSpending NewcomerSpending { get; init; } = new();

    /// <summary>See <see cref="Rules.ForeignCard"/>.</summary>
    public ForeignCard ForeignCard { get; init; } = new();

    /// <summary>See <see cref="Rules.AccountTakeover"/>.</summary>
    public AccountTakeover AccountTakeover { get; init; } = new();

    /// <summary>See <see cref="Rules.Burst"/>.</summary>
    public Burst Burst { get; init; } = new();

    /// <summary>See <see cref="Rules.RepeatedDeclines"/>.</summary>
    public RepeatedDeclines RepeatedDeclines { get; init; } = new();

    /// <summary>See <see cref="Rules.SmallThenLarge"/>.</summary>
    public SmallThenLarge SmallThenLarge { get; init; } = new();

    /// <summary>See <see cref="Rules.FollowsStopped"/>.</summary>
    public FollowsStopped FollowsStopped { get; init; } = new();

    /// <summary>See <see cref="Rules.Established"/>.</summary>
    public Established Established { get; init; } = new();

    /// <summary>All rules, in the order in which they are looked at.</summary>
    internal IReadOnlyList<Rule> All() =>
        [CardTesting, FreshAccounts, NewcomerSpending, ForeignCard, AccountTakeover, Burst, RepeatedDeclines, SmallThenLarge, FollowsStopped, Established];
}
