using System.Globalization;
using System.Linq.Expressions;
using MassTransit;
using Microsoft.Extensions.Options;
using Shop.Contracts;
using Shop.Messaging.Outbox;

namespace Shop.Orders.FulfillingOrder;

/// <summary>
/// The life of an order. Every event has a rule in every state: what is late, repeated or after the end is ignored by name,
/// so an event without a rule is a defect and becomes a dead letter.
/// </summary>
/// <remarks>
/// <para>Topics are read independently, so events of different topics come in any relative order; those of one topic in theirs.
/// What Orders publishes itself comes back on the topic <c>orders</c>; of that, only what is declared here is handled:
/// the submission, cancellations and deadlines. Everything else there was decided here in the first place.</para>
/// <para>Compensation is choreographed: Inventory and Payments hear <see cref="OrderCancelled"/> and give back what they hold, or
/// refuse what they have not done yet. What they publish about that finds the order cancelled and changes nothing.</para>
/// </remarks>
public sealed class OrderFulfilment : MassTransitStateMachine<Order>
{
    /// <summary>What a confirmed order's deadline is for.</summary>
    internal const string WaitingForFulfilment = "fulfilment";

    private const string WaitingForReservation = "reservation";

    /// <summary>What is added to the reason of a cancelled order whose goods are lost.</summary>
    internal const string GoodsHadLeft = "; the goods had left already";
    private const string TakenBack = "The payment was taken back";

    private readonly TimeProvider _time;

    /// <summary>The state machine without services, from which Messaging reads its events.</summary>
    public OrderFulfilment() : this(Options.Create(new OrderDeadlines()), TimeProvider.System)
    {
    }

    /// <summary>The state machine.</summary>
    public OrderFulfilment(IOptions<OrderDeadlines> deadlines, TimeProvider time)
    {
        _time = time;
        InstanceState(order => order.CurrentState);
        OfOrder(() => OrderSubmitted, message => message.OrderId);
        OfOrder(() => CancellationRequested, message => message.OrderId);
        OfOrder(() => StockReserved, message => message.OrderId);
        OfOrder(() => StockRejected, message => message.OrderId);
        OfOrder(() => StockReleased, message => message.OrderId);
        OfOrder(() => StockDispatched, message => message.OrderId);
        OfOrder(() => PaymentHeld, message => message.OrderId);
        OfOrder(() => PaymentAuthorized, message => message.OrderId);
        OfOrder(() => PaymentDeclined, message => message.OrderId);
        OfOrder(() => PaymentCaptured, message => message.OrderId);
        OfOrder(() => PaymentVoided, message => message.OrderId);
        OfOrder(() => PaymentRefunded, message => message.OrderId);
        Schedule(() => Deadline, order => order.DeadlineToken, s => s.Received = e => Correlate(e, message => message.OrderId));
        WhenEnterAny(entered => entered.Then(context =>
        {
            context.Saga.UpdatedAt = time.GetUtcNow();
            if (context.Saga.IsPaymentDecided)
                context.Saga.PaymentToken = null;
            var (state, age) = (context.Saga.CurrentState, context.Saga.UpdatedAt - context.Saga.SubmittedAt);
            if (context.TryGetPayload<TransactionalOutbox>(out var outbox))
                outbox.WhenCommitted(() => OrderMetrics.Entered(state, age));
        }));

        During(Submitted,
            // Usually the first to come; where StockReserved was faster, the order is not here any more and needs no such deadline. The order
            // has had one since it was made: the wait begins anew, since nobody else could hear of the order before.
            WaitFor(When(OrderSubmitted), WaitingForReservation, deadlines.Value.Reservation),
            WaitFor(When(StockReserved), "payment", deadlines.Value.Payment)
                .Publish(context => context.Saga.ToPaymentRequested())
                .TransitionTo(Reserved),
            CancelOn(Deadline.Received, _ => "The stock could not be reserved in time"));
        // none of these can come before Orders has asked for it
        IgnoreIn(Submitted, StockDispatched, PaymentHeld, PaymentAuthorized, PaymentDeclined, PaymentCaptured, PaymentVoided, PaymentRefunded);

        // the stock is held until the money is certain
        During([Reserved, InReview],
            WaitFor(When(PaymentAuthorized), WaitingForFulfilment, deadlines.Value.Fulfilment)
                .Publish(context => new OrderConfirmed(context.Saga.CorrelationId))
                .TransitionTo(Confirmed));
        During(Reserved,
            WaitFor(When(PaymentHeld), "review", deadlines.Value.Review)
                .TransitionTo(InReview),
            CancelOn(Deadline.Received, _ => "The payment could not be completed in time"));
        During(InReview,
            CancelOn(Deadline.Received, _ => "The payment was not approved in time"));
        IgnoreIn(Reserved, OrderSubmitted, StockReserved, StockDispatched, PaymentCaptured);
        IgnoreIn(InReview, OrderSubmitted, StockReserved, StockDispatched, PaymentHeld, PaymentCaptured);

        // the point of no return: the goods leave and the money is taken, in whichever order
        During(Confirmed,
            FulfilWhenComplete(When(StockDispatched).Then(context => context.Saga.Dispatched = true)),
            FulfilWhenComplete(When(PaymentCaptured).Then(context => context.Saga.Captured = true)),
            // Giving up here could lose the goods, which may be leaving: Inventory hears of the confirmation before any cancellation.
            // So the order stays, and is among the overdue ones until the answer comes or an operator has it repaired.
            When(Deadline.Received).Then(context => context.Saga.Reason = Overdue(context.Saga.Dispatched, context.Saga.Captured)));
        IgnoreIn(Confirmed, OrderSubmitted, CancellationRequested, StockReserved, PaymentHeld, PaymentAuthorized);

        // Without stock, or without money, there is nothing to wait for any more, wherever the order stands. Once it was confirmed this is
        // no usual way: the reservation was lost, or somebody let the money go at the provider itself. What the other side has
        // done by then, it undoes on OrderCancelled: a capture is refunded.
        During([Submitted, Reserved, InReview, Confirmed],
            CancelOn(StockRejected, OutOfStock),
            CancelOn(StockReleased, _ => "The reserved stock was given back before the order was complete"));
        During([Reserved, InReview, Confirmed],
            CancelOn(PaymentDeclined, declined => $"Payment declined: {declined.Reason}"),
            CancelOn(PaymentVoided, _ => TakenBack),
            CancelOn(PaymentRefunded, _ => TakenBack));
        During([Submitted, Reserved, InReview],
            CancelOn(CancellationRequested, _ => "Cancelled by the shopper"));

        IgnoreIn(Fulfilled, Everything);

        // Also a StockReserved or PaymentAuthorized that crossed the cancellation on its way: whoever published it hears
        // OrderCancelled after its own event and gives it back, so there is nothing to ask for. Goods that had left are a loss, which is said.
        During(Cancelled, When(StockDispatched).Then(context => NoteLeftGoods(context.Saga)));
        IgnoreIn(Cancelled, [.. Everything.Except([StockDispatched])]);
    }

    /// <summary>Waits for its stock.</summary>
    public State Submitted { get; private set; } = null!;

    /// <summary>Has its stock, waits for its payment.</summary>
    public State Reserved { get; private set; } = null!;

    /// <summary>Waits for an operator's decision about its payment.</summary>
    public State InReview { get; private set; } = null!;

    /// <summary>Stock and payment are certain; the goods are being sent and the money taken.</summary>
    public State Confirmed { get; private set; } = null!;

    /// <summary>Ended well: sent and paid.</summary>
    public State Fulfilled { get; private set; } = null!;

    /// <summary>Ended without goods or money changing hands.</summary>
    public State Cancelled { get; private set; } = null!;

    /// <summary>The order's own submission.</summary>
    public Event<OrderSubmitted> OrderSubmitted { get; private set; } = null!;

    /// <summary>The shopper wants no more of it.</summary>
    public Event<CancellationRequested> CancellationRequested { get; private set; } = null!;

    /// <summary>The stock is held.</summary>
    public Event<StockReserved> StockReserved { get; private set; } = null!;

    /// <summary>There is not enough stock.</summary>
    public Event<StockRejected> StockRejected { get; private set; } = null!;

    /// <summary>The stock is no longer held.</summary>
    public Event<StockReleased> StockReleased { get; private set; } = null!;

    /// <summary>The goods have left.</summary>
    public Event<StockDispatched> StockDispatched { get; private set; } = null!;

    /// <summary>The payment looks suspicious.</summary>
    public Event<PaymentHeld> PaymentHeld { get; private set; } = null!;

    /// <summary>The money is held.</summary>
    public Event<PaymentAuthorized> PaymentAuthorized { get; private set; } = null!;

    /// <summary>The payment was refused.</summary>
    public Event<PaymentDeclined> PaymentDeclined { get; private set; } = null!;

    /// <summary>The money was taken.</summary>
    public Event<PaymentCaptured> PaymentCaptured { get; private set; } = null!;

    /// <summary>The held money was let go.</summary>
    public Event<PaymentVoided> PaymentVoided { get; private set; } = null!;

    /// <summary>The money was given back.</summary>
    public Event<PaymentRefunded> PaymentRefunded { get; private set; } = null!;

    /// <summary>
    /// An order waits for one thing at a time, so it has one deadline: waiting for the next replaces the last, whose
    /// message, should it be on its way already, does not carry the order's token any more and is not received.
    /// </summary>
    public Schedule<Order, OrderDeadlinePassed> Deadline { get; private set; } = null!;

    private Event[] Everything =>
    [
        OrderSubmitted, CancellationRequested, Deadline.Received, StockReserved, StockRejected, StockReleased, StockDispatched,
        PaymentHeld, PaymentAuthorized, PaymentDeclined, PaymentCaptured, PaymentVoided, PaymentRefunded,
    ];

    /// <summary>The deadline that an order is made with.</summary>
    internal static OrderDeadlinePassed ReservationDeadlineOf(Guid orderId) => new(orderId, WaitingForReservation);

    private static string OutOfStock(StockRejected rejected) => "Not enough in stock: " + string.Join(", ", rejected.Shortages.Select(shortage =>
        string.Create(CultureInfo.InvariantCulture, $"{shortage.Sku} ({shortage.Requested} ordered, {shortage.Available} available)")));

    /// <summary>What is said of a confirmed order that is overdue.</summary>
    internal static string Overdue(bool dispatched, bool captured) => (dispatched, captured) switch
    {
        (true, _) => "Overdue: sent, but the payment was not taken in time",
        (_, true) => "Overdue: paid, but the goods were not sent in time",
        _ => "Overdue: the goods were not sent, and the payment was not taken, in time",
    };

    private static void NoteLeftGoods(Order order)
    {
        if (!order.Dispatched)
            order.Reason += GoodsHadLeft;
        order.Dispatched = true;
    }

    private static void Correlate<T>(IEventCorrelationConfigurator<Order, T> correlation, Func<T, Guid> orderId) where T : class => correlation
        .CorrelateById(context => orderId(context.Message))
        // an order is committed before any event about it: an event without its order is no late one but a broken one
        .OnMissingInstance(missing => missing.Fault());

    private void OfOrder<T>(Expression<Func<Event<T>>> @event, Func<T, Guid> orderId) where T : class =>
        Event(@event, correlation => Correlate(correlation, orderId));

    private EventActivityBinder<Order, T> WaitFor<T>(EventActivityBinder<Order, T> when, string what, TimeSpan atMost) where T : class => when
        .Then(context => context.Saga.DeadlineAt = _time.GetUtcNow() + atMost)
        .Schedule(Deadline, context => new OrderDeadlinePassed(context.Saga.CorrelationId, what), context => context.Saga.DeadlineAt!.Value.UtcDateTime);

    private EventActivityBinder<Order, T> CancelOn<T>(Event<T> @event, Func<T, string> reason) where T : class => End(When(@event))
        .Then(context => context.Saga.Reason = reason(context.Message) + (context.Saga.Dispatched ? GoodsHadLeft : ""))
        .Publish(context => new OrderCancelled(context.Saga.CorrelationId, context.Saga.Reason!))
        .TransitionTo(Cancelled);

    private EventActivityBinder<Order, T> FulfilWhenComplete<T>(EventActivityBinder<Order, T> when) where T : class => when
        .If(context => context.Saga is { Dispatched: true, Captured: true }, complete => End(complete)
            .Then(context => context.Saga.Reason = null)
            .Publish(context => new OrderFulfilled(context.Saga.CorrelationId))
            .TransitionTo(Fulfilled));

    /// <summary>The order waits for nothing any more.</summary>
    private EventActivityBinder<Order, T> End<T>(EventActivityBinder<Order, T> when) where T : class => when
        .Unschedule(Deadline)
        .Then(context => context.Saga.DeadlineAt = null);

    private void IgnoreIn(State state, params ReadOnlySpan<Event> events)
    {
        foreach (var @event in events)
            During(state, Ignore(@event));
    }
}
