using Shop.Contracts;

namespace Shop.Orders.SubmittingOrder;

/// <summary>The body of <c>POST /api/orders</c>.</summary>
/// <param name="Lines">What is wanted; each product once.</param>
/// <param name="Payment">How it is paid.</param>
/// <param name="ShipTo">Where it goes.</param>
public sealed record SubmitOrder(IReadOnlyList<SubmitLine?> Lines, PaymentMeans Payment, Address ShipTo);

/// <summary>A product and how much of it.</summary>
/// <param name="Sku">The product.</param>
/// <param name="Quantity">Pieces.</param>
public sealed record SubmitLine(string Sku, int Quantity);

/// <summary>The means of payment.</summary>
/// <param name="Token">The payment provider's token; never a card number.</param>
public sealed record PaymentMeans(string Token);
