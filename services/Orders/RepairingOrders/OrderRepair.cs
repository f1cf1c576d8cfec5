using Shop.Contracts;
using Shop.Orders.FulfillingOrder;

namespace Shop.Orders.RepairingOrders;

/// <summary>
/// What an order says again to be repaired. Inventory and Payments keep what they decided: whoever missed it does it now, and whoever
/// did it tells again how it stands. So an answer that was lost comes again, and nothing takes effect twice.
/// </summary>
public static class OrderRepair
{
    /// <summary>What the order has said so far, in its order; empty where there is nothing that its repetition could mend.</summary>
    public static IReadOnlyList<object> WordsOf(Order order) => order.CurrentState switch
    {
        nameof(OrderFulfilment.Submitted) => [order.ToOrderSubmitted()],
        nameof(OrderFulfilment.Reserved) or nameof(OrderFulfilment.InReview) => [order.ToOrderSubmitted(), order.ToPaymentRequested()],
        // the payment was authorised, so Payments has it: asking again would need its token, which is erased
        nameof(OrderFulfilment.Confirmed) => [order.ToOrderSubmitted(), new OrderConfirmed(order.CorrelationId)],
        // only the last word: nothing may begin anew for an order that is given up
        nameof(OrderFulfilment.Cancelled) => [new OrderCancelled(order.CorrelationId, order.Reason ?? "")],
        // both have told that they did their part
        _ => [],
    };
}
