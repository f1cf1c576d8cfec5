namespace Shop.Contracts;

/// <summary>An amount of money.</summary>
/// <param name="Amount">The amount in the currency's major unit, with at most two decimals.</param>
/// <param name="Currency">ISO 4217 code, for example <c>EUR</c>.</param>
public sealed record Money(decimal Amount, string Currency);
