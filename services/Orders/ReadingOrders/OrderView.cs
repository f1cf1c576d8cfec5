using Shop.Contracts;
using Shop.Orders.FulfillingOrder;

namespace Shop.Orders.ReadingOrders;

/// <summary>An order as its shopper sees it.</summary>
/// <param name="Id">The order's id.</param>
/// <param name="Status"><c>submitted</c>, <c>reserved</c>, <c>inReview</c>, <c>confirmed</c>, <c>fulfilled</c> or <c>cancelled</c>.</param>
/// <param name="Reason">Why it was cancelled, or what is overdue; null where neither is so.</param>
/// <param name="Lines">What was ordered, at the prices of the moment.</param>
/// <param name="Total">The sum of the lines.</param>
/// <param name="ShipTo">Where it goes.</param>
/// <param name="SubmittedAt">When it was submitted.</param>
/// <param name="UpdatedAt">When its status last changed.</param>
public sealed record OrderView(Guid Id, string Status, string? Reason, IReadOnlyList<OrderLine> Lines, Money Total, Address ShipTo,
    DateTimeOffset SubmittedAt, DateTimeOffset UpdatedAt)
{
    /// <summary>The order as it is.</summary>
    public static OrderView Of(Order order) => new(order.CorrelationId, OrderStatus.Of(order.CurrentState), order.Reason,
        order.Lines, order.Total, order.ShipTo, order.SubmittedAt, order.UpdatedAt);

    /// <summary>The order as it was at its submission: a repeated submit is answered as the first was, however far the order has come.</summary>
    public static OrderView AsSubmitted(Order order) => Of(order) with
    {
        Status = OrderStatus.Of(nameof(OrderFulfilment.Submitted)),
        Reason = null,
        UpdatedAt = order.SubmittedAt,
    };
}
