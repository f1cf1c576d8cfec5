using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Shop.Contracts;
using Shop.Orders.FulfillingOrder;
using Shop.Orders.RecordingHistory;

namespace Shop.Orders.ReadingOrders;

/// <summary>
/// Makes an order out of its events: a pure function, so the order can be seen as it was at any moment. What another service did is not the
/// order's status yet; that is what Orders made of it, with one exception: nothing is published when a held payment puts the order in review.
/// </summary>
/// <remarks>An order only goes forward, so the same events give the same status in whichever sequence they are folded.</remarks>
public static class OrderFolding
{
    private static readonly string SubmittedType = NameOf<OrderSubmitted>(), CancelledType = NameOf<OrderCancelled>(),
        DeadlinePassedType = NameOf<OrderDeadlinePassed>(), DispatchedType = NameOf<StockDispatched>(), CapturedType = NameOf<PaymentCaptured>();

    private static readonly Dictionary<string, string> StateOf = new(StringComparer.Ordinal)
    {
        [SubmittedType] = nameof(OrderFulfilment.Submitted),
        [NameOf<PaymentRequested>()] = nameof(OrderFulfilment.Reserved),
        [NameOf<PaymentHeld>()] = nameof(OrderFulfilment.InReview),
        [NameOf<OrderConfirmed>()] = nameof(OrderFulfilment.Confirmed),
        [NameOf<OrderFulfilled>()] = nameof(OrderFulfilment.Fulfilled),
        [CancelledType] = nameof(OrderFulfilment.Cancelled),
    };

    private static readonly string[] Course =
    [
        nameof(OrderFulfilment.Submitted), nameof(OrderFulfilment.Reserved), nameof(OrderFulfilment.InReview), nameof(OrderFulfilment.Confirmed),
        nameof(OrderFulfilment.Fulfilled), nameof(OrderFulfilment.Cancelled),
    ];

    /// <summary>The order after <paramref name="events"/>; null where its submission is not among them.</summary>
    /// <exception cref="JsonException">An event's data is not what its type says.</exception>
    public static OrderView? Fold(IEnumerable<OrderEvent> events)
    {
        OrderView? order = null;
        var (state, reason, since) = ((string?)null, (string?)null, DateTimeOffset.MinValue);
        var (dispatched, captured) = (false, false);
        foreach (var e in events)
        {
            if (e.Type == SubmittedType)
                order = Submitted(e);
            var next = StateAfter(state, e.Type);
            if (next != state)
                (state, since, reason) = (next, e.At, e.Type == CancelledType ? DataOf(e, ContractsJson.Default.OrderCancelled).Reason : null);
            else if (e.Type == DeadlinePassedType && state == nameof(OrderFulfilment.Confirmed)
                && DataOf(e, ContractsJson.Default.OrderDeadlinePassed).WaitingFor == OrderFulfilment.WaitingForFulfilment)
                reason = OrderFulfilment.Overdue(dispatched, captured);
            else if (e.Type == DispatchedType && state == nameof(OrderFulfilment.Cancelled) && !dispatched)
                reason += OrderFulfilment.GoodsHadLeft;
            dispatched |= e.Type == DispatchedType;
            captured |= e.Type == CapturedType;
        }
        return order is null || state == nameof(OrderFulfilment.Submitted) ? order
            : order with { Status = OrderStatus.Of(state!), Reason = reason, UpdatedAt = since };
    }

    /// <summary>The state of an order in <paramref name="state"/> (null before its submission) once an event of <paramref name="type"/> has happened.</summary>
    public static string? StateAfter(string? state, string type) =>
        StateOf.TryGetValue(type, out var next) && Array.IndexOf(Course, next) > Array.IndexOf(Course, state) ? next : state;

    private static OrderView Submitted(OrderEvent e)
    {
        var order = DataOf(e, ContractsJson.Default.OrderSubmitted);
        return new(e.OrderId, OrderStatus.Of(nameof(OrderFulfilment.Submitted)), null, order.Lines, order.Total, order.ShipTo, order.SubmittedAt, order.SubmittedAt);
    }

    private static T DataOf<T>(OrderEvent e, JsonTypeInfo<T> json) => JsonSerializer.Deserialize(e.Data, json)!;

    private static string NameOf<T>() => OrderTopics.TypeOf(typeof(T)).Name;
}
