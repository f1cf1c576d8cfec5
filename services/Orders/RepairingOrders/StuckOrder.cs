using Shop.Orders.FulfillingOrder;
using Shop.Orders.ReadingOrders;

namespace Shop.Orders.RepairingOrders;

/// <summary>An order that waits for longer than it should.</summary>
/// <param name="Id">The order's id.</param>
/// <param name="ShopperId">Whose order it is.</param>
/// <param name="Status">As in <see cref="OrderView"/>.</param>
/// <param name="WaitingFor">What is missing: some of <c>reservation</c>, <c>payment</c>, <c>review</c>, <c>dispatch</c> and <c>capture</c>.</param>
/// <param name="Deadline">When it should have come.</param>
/// <param name="SubmittedAt">When it was submitted.</param>
/// <param name="DeadLetterId">Where the order's events are parked behind a dead letter of Orders: that one; a repair takes effect once it is redriven.</param>
public sealed record StuckOrder(Guid Id, string ShopperId, string Status, IReadOnlyList<string> WaitingFor, DateTimeOffset Deadline, DateTimeOffset SubmittedAt,
    Guid? DeadLetterId)
{
    internal static StuckOrder Of(Order order, DateTimeOffset deadline, Guid? deadLetterId) => new(order.CorrelationId, order.ShopperId, OrderStatus.Of(order.CurrentState),
        WaitingForOf(order), deadline, order.SubmittedAt, deadLetterId);

    private static IReadOnlyList<string> WaitingForOf(Order order) => order.CurrentState switch
    {
        nameof(OrderFulfilment.Submitted) => ["reservation"],
        nameof(OrderFulfilment.Reserved) => ["payment"],
        nameof(OrderFulfilment.InReview) => ["review"],
        _ => [.. order.Dispatched ? [] : (string[])["dispatch"], .. order.Captured ? [] : (string[])["capture"]],
    };
}

/// <summary>A repair that was begun.</summary>
/// <param name="Id">The order's id.</param>
/// <param name="Status">As in <see cref="OrderView"/>, when the repair began.</param>
/// <param name="Published">The types of the events that the order said again, in their order.</param>
public sealed record OrderRepairView(Guid Id, string Status, IReadOnlyList<string> Published);
