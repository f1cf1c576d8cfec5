using MassTransit;
using Shop.Contracts;
using Shop.Orders.FulfillingOrder;

namespace Shop.Orders;

/// <summary>
/// An order: the one row is both what its shopper sees and the instance of <see cref="OrderFulfilment"/>. It is inserted
/// with its <see cref="OrderSubmitted"/>, in one transaction, so no event can reach the state machine before its instance.
/// </summary>
public sealed class Order : SagaStateMachineInstance, ISagaVersion
{
    /// <summary>The order's id, a UUIDv7: orders sort by it in the order of their submission.</summary>
    public Guid CorrelationId { get; set; }

    /// <summary>Whose order it is.</summary>
    public required string ShopperId { get; init; }

    /// <summary>The name of one of the states of <see cref="OrderFulfilment"/>.</summary>
    public string CurrentState { get; set; } = nameof(OrderFulfilment.Submitted);

    /// <summary>Why it was cancelled, or what is overdue, for people to read; null where neither is so.</summary>
    public string? Reason { get; set; }

    /// <summary>What was ordered, at the prices of the moment.</summary>
    public required IReadOnlyList<OrderLine> Lines { get; init; }

    /// <summary>The sum of the lines, in the major unit of <see cref="Currency"/>, with two decimals.</summary>
    public required decimal TotalAmount { get; init; }

    /// <summary>ISO 4217 code of the whole order.</summary>
    public required string Currency { get; init; }

    /// <summary>Where it goes.</summary>
    public required Address ShipTo { get; init; }

    /// <summary>The payment provider's token for the means of payment, never a card number, sealed for Payments; null once the payment is decided.</summary>
    public required string? PaymentToken { get; set; }

    /// <summary>The order's payment; fixed at submission, so that asking for it twice is asking for the same one.</summary>
    public required Guid PaymentId { get; init; }

    /// <summary>The browser that it came from; null where it is not known.</summary>
    public string? DeviceId { get; init; }

    /// <summary>When its shopper first ordered; null for orders from before that was kept.</summary>
    public DateTimeOffset? FirstOrderedAt { get; init; }

    /// <summary>When it was submitted.</summary>
    public required DateTimeOffset SubmittedAt { get; init; }

    /// <summary>When it last changed its state.</summary>
    public required DateTimeOffset UpdatedAt { get; set; }

    /// <summary>Whether its goods have left the warehouse.</summary>
    public bool Dispatched { get; set; }

    /// <summary>Whether its money was taken.</summary>
    public bool Captured { get; set; }

    /// <summary>The scheduled deadline of what the order waits for; null while it waits for nothing.</summary>
    public Guid? DeadlineToken { get; set; }

    /// <summary>When what it waits for is overdue; null after its end.</summary>
    public DateTimeOffset? DeadlineAt { get; set; }

    /// <summary>Raised by every event that the state machine handles; guards against lost updates.</summary>
    public int Version { get; set; }

    /// <summary>The sum of the lines.</summary>
    public Money Total => new(TotalAmount, Currency);

    /// <summary>What its submission is published as.</summary>
    public OrderSubmitted ToOrderSubmitted() => new(CorrelationId, ShopperId, Lines, Total, ShipTo, SubmittedAt);

    /// <summary>What its payment is asked for with.</summary>
    public PaymentRequested ToPaymentRequested() => new(CorrelationId, PaymentId, ShopperId, Total,
        PaymentToken ?? throw new InvalidOperationException($"The payment of order {CorrelationId} is decided: it is not asked for again."),
        DeviceId, AddressHash.Of(ShipTo), ShipTo.Country, FirstOrderedAt);

    /// <summary>Whether its payment is authorised, or not wanted any more.</summary>
    public bool IsPaymentDecided =>
        CurrentState is nameof(OrderFulfilment.Confirmed) or nameof(OrderFulfilment.Fulfilled) or nameof(OrderFulfilment.Cancelled);

    /// <summary>Whether a cancellation still takes effect; once confirmed, goods and money are on their way.</summary>
    public bool CanBeCancelled =>
        CurrentState is nameof(OrderFulfilment.Submitted) or nameof(OrderFulfilment.Reserved) or nameof(OrderFulfilment.InReview);
}
