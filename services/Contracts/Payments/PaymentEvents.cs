using System.Text.Json.Serialization;

namespace Shop.Contracts;

/// <summary>The provider holds the amount for the shop.</summary>
public sealed record PaymentAuthorized(Guid OrderId, Guid PaymentId, Money Amount);

/// <summary>The provider refused the payment.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="PaymentId">The payment.</param>
/// <param name="Reason">The provider's reason.</param>
public sealed record PaymentDeclined(Guid OrderId, Guid PaymentId, string Reason);

/// <summary>The payment looks suspicious: no money moves until an operator has decided.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="PaymentId">The payment.</param>
/// <param name="Score">From 0 (harmless) to 1 (fraud).</param>
/// <param name="Reasons">What raised the score.</param>
/// <param name="Rules">The rules that fired, with what they saw; null in older events.</param>
public sealed record PaymentHeld(Guid OrderId, Guid PaymentId, double Score, IReadOnlyList<string> Reasons,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<FiredRule>? Rules = null);

/// <summary>A rule of the payments' screening that fired.</summary>
/// <param name="Rule">Its name.</param>
/// <param name="Points">What it added to the score, in hundredths.</param>
/// <param name="Features">What it saw.</param>
public sealed record FiredRule(string Rule, double Points, IReadOnlyDictionary<string, double> Features);

/// <summary>The authorised amount was taken.</summary>
public sealed record PaymentCaptured(Guid OrderId, Guid PaymentId, Money Amount);

/// <summary>The order was cancelled before the amount was taken: the provider holds nothing and will not, even where it never told of an authorisation.</summary>
public sealed record PaymentVoided(Guid OrderId, Guid PaymentId, Money Amount);

/// <summary>The captured amount was given back.</summary>
public sealed record PaymentRefunded(Guid OrderId, Guid PaymentId, Money Amount);
