using System.Text.Json.Serialization;

namespace Shop.Benchmarks.Fraud;

/// <summary>What the provider would answer.</summary>
public enum Outcome
{
    /// <summary>The amount is held.</summary>
    Authorized,

    /// <summary>The bank refuses.</summary>
    Declined,
}

/// <summary>A line of a labelled stream, in event time.</summary>
/// <param name="At">When the payment is requested.</param>
/// <param name="ShopperId">Who pays.</param>
/// <param name="Card">The card.</param>
/// <param name="Device">The device; null where it is not known.</param>
/// <param name="Address">The address, as a hash; null where it is not known.</param>
/// <param name="Country">ISO 3166-1 alpha-2.</param>
/// <param name="Amount">In the major unit.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="FirstOrderAt">When the shopper first ordered; null where this is the first order.</param>
/// <param name="Outcome">What the provider would answer.</param>
/// <param name="Label"><c>legit</c>, or the kind of fraud: seen by the report, never by the scoring.</param>
/// <param name="Attack">The attack that the payment is part of.</param>
public sealed record LabelledPayment(
    DateTimeOffset At, string ShopperId, string Card, string? Device, string? Address, string? Country, decimal Amount, string Currency,
    DateTimeOffset? FirstOrderAt, Outcome Outcome, string Label, string? Attack)
{
    /// <summary>The label of what no fraudster did.</summary>
    public const string Legit = "legit";

    /// <summary>Which kind of shopper the generator had in mind; others' streams do not tell.</summary>
    public string? Behaviour { get; init; }

    /// <summary>Whether it is fraud.</summary>
    [JsonIgnore]
    public bool IsFraud => Label != Legit;
}
