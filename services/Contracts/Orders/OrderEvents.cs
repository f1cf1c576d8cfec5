using System.Text.Json.Serialization;

namespace Shop.Contracts;

/// <summary>One line of an order, with the price that was fixed when it was submitted.</summary>
/// <param name="Sku">The product.</param>
/// <param name="Quantity">Pieces, at least 1.</param>
/// <param name="UnitPrice">Price of one piece.</param>
public sealed record OrderLine(string Sku, int Quantity, Money UnitPrice);

/// <summary>Where an order is sent.</summary>
/// <param name="Name">Who receives it.</param>
/// <param name="Street">Street and number.</param>
/// <param name="City">City.</param>
/// <param name="PostalCode">Postal code.</param>
/// <param name="Country">ISO 3166-1 alpha-2 code, for example <c>DE</c>.</param>
public sealed record Address(string Name, string Street, string City, string PostalCode, string Country);

/// <summary>A shopper submitted an order: Inventory reserves its stock.</summary>
public sealed record OrderSubmitted(Guid OrderId, string ShopperId, IReadOnlyList<OrderLine> Lines, Money Total, Address ShipTo, DateTimeOffset SubmittedAt);

/// <summary>The order's stock is reserved and its money is wanted: Payments authorises it.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="PaymentId">The payment, and the idempotency key towards the payment provider.</param>
/// <param name="ShopperId">Who pays.</param>
/// <param name="Amount">What is to be paid.</param>
/// <param name="PaymentToken">The provider's token for the means of payment, never a card number: sealed for Payments alone, or in older events as it is.</param>
/// <param name="DeviceId">The browser that the order came from, as the gateway knows it; null where it did not come through it, and in older events.</param>
/// <param name="AddressHash">A hash of the normalised address, to tell whether two are the same; null in older events.</param>
/// <param name="Country">Where it is sent: ISO 3166-1 alpha-2; null in older events.</param>
/// <param name="FirstOrderedAt">When the shopper first ordered: this very order, where it is the first; null in older events.</param>
public sealed record PaymentRequested(Guid OrderId, Guid PaymentId, string ShopperId, Money Amount, string PaymentToken,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? DeviceId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? AddressHash = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Country = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? FirstOrderedAt = null);

/// <summary>The order's shopper asked for its cancellation.</summary>
public sealed record CancellationRequested(Guid OrderId, string RequestedBy);

/// <summary>A deadline of the order has passed.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="WaitingFor">What the order was waiting for: <c>reservation</c>, <c>payment</c>, <c>review</c> or <c>fulfilment</c>.</param>
public sealed record OrderDeadlinePassed(Guid OrderId, string WaitingFor);

/// <summary>Stock is reserved and payment authorised: Inventory dispatches, Payments captures.</summary>
public sealed record OrderConfirmed(Guid OrderId);

/// <summary>The order will not be carried out: Inventory releases its stock, Payments gives the money back.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Reason">Why, for people to read.</param>
public sealed record OrderCancelled(Guid OrderId, string Reason);

/// <summary>The order was dispatched and paid for: it has ended.</summary>
public sealed record OrderFulfilled(Guid OrderId);
