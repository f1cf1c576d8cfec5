using System.Text.Json.Serialization;
using Shop.Contracts;

namespace Shop.Orders.SubmittingOrder;

/// <summary>The body of <c>POST /api/orders</c>.</summary>
/// <param name="Lines">What is wanted; each product once.</param>
/// <param name="Payment">How it is paid.</param>
/// <param name="ShipTo">Where it goes.</param>
/// <param name="ExpectedTotal">What the shopper was shown; where it is given and holds no longer, nothing is ordered.</param>
public sealed record SubmitOrder(IReadOnlyList<SubmitLine?> Lines, PaymentMeans Payment, Address ShipTo,
    // absent rather than null: the hashes of submissions that were kept before there was such a member stay what they are
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Money? ExpectedTotal = null);

/// <summary>A product and how much of it.</summary>
/// <param name="Sku">The product.</param>
/// <param name="Quantity">Pieces.</param>
public sealed record SubmitLine(string Sku, int Quantity);

/// <summary>The means of payment.</summary>
/// <param name="Token">The payment provider's token; never a card number.</param>
public sealed record PaymentMeans(string Token);
