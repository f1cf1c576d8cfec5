using Shop.Contracts;
using Shop.Orders.FulfillingOrder;
using Shop.Orders.Tests.FulfillingOrder;

namespace Shop.Orders.Tests;

/// <summary>An order for 19 EUR and everything that can happen to it.</summary>
internal static class SampleOrders
{
    public static readonly Guid Id = Guid.Parse("01a2055e-20d9-76ac-b2d2-47ee76b48253");
    public static readonly Guid PaymentId = Guid.Parse("01a2055e-20d9-76ac-b2d2-000000000001");
    public static readonly Money Total = new(19.00m, "EUR");
    public static readonly Address ShipTo = new("Ada", "Main Street 1", "Berlin", "10115", "DE");
    public static readonly IReadOnlyList<OrderLine> Lines = [new("mug-blue", 2, new(9.50m, "EUR"))];

    private static readonly IReadOnlyList<ReservedLine> Reserved = [new("mug-blue", 2)];

    public static readonly OrderSubmitted OrderSubmitted = new(Id, "ada", Lines, Total, ShipTo, FulfilmentMachine.Now);
    public static readonly CancellationRequested CancellationRequested = new(Id, "ada");
    public static readonly OrderDeadlinePassed ReservationDeadline = OrderFulfilment.ReservationDeadlineOf(Id);
    public static readonly OrderDeadlinePassed PaymentDeadline = new(Id, "payment");
    public static readonly OrderDeadlinePassed ReviewDeadline = new(Id, "review");
    public static readonly OrderDeadlinePassed FulfilmentDeadline = new(Id, "fulfilment");
    public static readonly StockReserved StockReserved = new(Id, Reserved);
    public static readonly StockRejected StockRejected = new(Id, [new("mug-blue", 2, 1), new("pen", 3, 0)]);
    public static readonly StockReleased StockReleased = new(Id, Reserved);
    public static readonly StockDispatched StockDispatched = new(Id, Reserved);
    public static readonly PaymentHeld PaymentHeld = new(Id, PaymentId, 0.9, ["many orders in a short time"]);
    public static readonly PaymentAuthorized PaymentAuthorized = new(Id, PaymentId, Total);
    public static readonly PaymentDeclined PaymentDeclined = new(Id, PaymentId, "card_declined");
    public static readonly PaymentCaptured PaymentCaptured = new(Id, PaymentId, Total);
    public static readonly PaymentVoided PaymentVoided = new(Id, PaymentId, Total);
    public static readonly PaymentRefunded PaymentRefunded = new(Id, PaymentId, Total);

    /// <summary>Every event that reaches the state machine, but for deadlines, by a name for the test's output.</summary>
    public static readonly IReadOnlyDictionary<string, object> Events = new Dictionary<string, object>
    {
        [nameof(OrderSubmitted)] = OrderSubmitted,
        [nameof(CancellationRequested)] = CancellationRequested,
        [nameof(StockReserved)] = StockReserved,
        [nameof(StockRejected)] = StockRejected,
        [nameof(StockReleased)] = StockReleased,
        [nameof(StockDispatched)] = StockDispatched,
        [nameof(PaymentHeld)] = PaymentHeld,
        [nameof(PaymentAuthorized)] = PaymentAuthorized,
        [nameof(PaymentDeclined)] = PaymentDeclined,
        [nameof(PaymentCaptured)] = PaymentCaptured,
        [nameof(PaymentVoided)] = PaymentVoided,
        [nameof(PaymentRefunded)] = PaymentRefunded,
    };

    public static readonly IReadOnlyList<string> States =
    [
        nameof(OrderFulfilment.Submitted), nameof(OrderFulfilment.Reserved), nameof(OrderFulfilment.InReview),
        nameof(OrderFulfilment.Confirmed), nameof(OrderFulfilment.Fulfilled), nameof(OrderFulfilment.Cancelled),
    ];

    public static Order In(string state) => new()
    {
        CorrelationId = Id,
        ShopperId = "ada",
        CurrentState = state,
        Lines = Lines,
        TotalAmount = Total.Amount,
        Currency = Total.Currency,
        ShipTo = ShipTo,
        PaymentToken = "tok_visa",
        PaymentId = PaymentId,
        SubmittedAt = FulfilmentMachine.Now,
        UpdatedAt = FulfilmentMachine.Now,
    };
}
