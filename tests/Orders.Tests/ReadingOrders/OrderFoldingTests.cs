using System.Text;
using System.Text.Json;
using Shop.Orders.FulfillingOrder;
using Shop.Orders.ReadingOrders;
using Shop.Orders.RecordingHistory;
using Shop.Orders.Tests.FulfillingOrder;
using static Shop.Orders.Tests.SampleOrders;

namespace Shop.Orders.Tests.ReadingOrders;

public sealed class OrderFoldingTests
{
    private static readonly Contracts.OrderConfirmed OrderConfirmed = new(Id);
    private static readonly Contracts.OrderFulfilled OrderFulfilled = new(Id);
    private static readonly Contracts.OrderCancelled OrderCancelled = new(Id, "Payment declined: card_declined");
    private static readonly Contracts.PaymentRequested PaymentRequested = new(Id, PaymentId, "ada", Total, "tok_visa");

    [Fact]
    public void The_submission_is_the_order_as_it_was_answered() =>
        Assert.Equivalent(OrderView.Of(In(nameof(OrderFulfilment.Submitted))), OrderFolding.Fold(History(OrderSubmitted)), strict: true);

    [Fact]
    public void Without_its_submission_there_is_no_order() => Assert.Null(OrderFolding.Fold(History(StockReserved, PaymentRequested)));

    [Fact]
    public void Each_event_of_an_order_that_goes_well_leaves_it_where_it_was_then() =>
        AssertStatuses("submitted submitted reserved reserved inReview inReview confirmed confirmed confirmed fulfilled",
            OrderSubmitted, StockReserved, PaymentRequested, PaymentRequested, PaymentHeld, PaymentAuthorized, OrderConfirmed, PaymentCaptured, StockDispatched, OrderFulfilled);

    [Fact]
    public void Each_event_of_an_order_that_is_cancelled_leaves_it_where_it_was_then() =>
        AssertStatuses("submitted submitted reserved reserved cancelled cancelled cancelled cancelled",
            OrderSubmitted, StockReserved, PaymentRequested, PaymentDeclined, OrderCancelled, StockReleased, PaymentHeld, PaymentVoided);

    [Fact]
    public void A_cancelled_order_has_its_reason_and_the_time_of_its_cancellation()
    {
        var order = OrderFolding.Fold(History(OrderSubmitted, StockReserved, PaymentRequested, OrderCancelled, StockReleased))!;

        Assert.Equal(("cancelled", OrderCancelled.Reason, FulfilmentMachine.Now.AddSeconds(4)), (order.Status, order.Reason, order.UpdatedAt));
    }

    [Fact]
    public void An_overdue_order_says_what_is_missing_until_it_is_there()
    {
        object[] events = [OrderSubmitted, StockReserved, PaymentRequested, OrderConfirmed, StockDispatched, new Contracts.OrderDeadlinePassed(Id, "payment"),
            new Contracts.OrderDeadlinePassed(Id, "fulfilment"), PaymentCaptured, OrderFulfilled];
        var reasons = Enumerable.Range(4, 6).Select(count => OrderFolding.Fold(History(events).Take(count))!.Reason);

        const string Overdue = "Overdue: sent, but the payment was not taken in time";
        Assert.Equal([null, null, null, Overdue, Overdue, null], reasons);
    }

    [Fact]
    public void Goods_that_left_in_vain_are_in_the_reason_once() =>
        Assert.Equal(OrderCancelled.Reason + "; the goods had left already",
            OrderFolding.Fold(History(OrderSubmitted, StockReserved, OrderCancelled, StockDispatched, StockDispatched))!.Reason);

    [Fact]
    public void The_sequence_makes_no_difference()
    {
        var events = History(OrderSubmitted, StockReserved, PaymentRequested, PaymentHeld, PaymentAuthorized, OrderConfirmed, StockDispatched, PaymentCaptured, OrderFulfilled);
        var expected = OrderFolding.Fold(events);
        var random = new Random(6);
        for (var run = 0; run < 1000; run++)
        {
            var shuffled = events.ToArray();
            random.Shuffle(shuffled);
            Assert.Equivalent(expected, OrderFolding.Fold(shuffled), strict: true);
        }
    }

    [Theory]
    [InlineData("2026-11-23T08:00:00Z")]
    [InlineData("2026-11-23T08:00:00.123456Z")]
    [InlineData("2026-11-23T08:00:00.1+01:00")]
    [InlineData("2026-11-23T08:00:00-08:00")]
    [InlineData("01a2055e-20d9-76ac-b2d2-47ee76b48253")]
    public void A_time_with_its_offset_or_an_id_is_a_point(string text) => Assert.True(PointInHistory.TryParse(text, out _));

    [Theory]
    [InlineData("")]
    [InlineData("now")]
    [InlineData("2026-11-23")]
    [InlineData("2026-11-23T08:00:00")]
    [InlineData("2026-11-23T08:00:00.123")]
    [InlineData("2026-11-23 08:00:00Z")]
    [InlineData("2026-11-23T08:00:00 01:00")]
    [InlineData("2026-13-23T08:00:00Z")]
    [InlineData("0001-01-01T00:00:00+14:00")]
    [InlineData("{01a2055e-20d9-76ac-b2d2-47ee76b48253}")]
    [InlineData("1795392000")]
    [InlineData("' OR 1=1 --")]
    public void Anything_else_is_not(string text) => Assert.False(PointInHistory.TryParse(text, out _));

    private static void AssertStatuses(string expected, params object[] events)
    {
        var history = History(events);
        Assert.Equal(expected, string.Join(' ', Enumerable.Range(1, events.Length).Select(count => OrderFolding.Fold(history.Take(count))!.Status)));
    }

    /// <summary>The events as they are recorded, a second apart.</summary>
    private static List<OrderEvent> History(params object[] events) => [.. events.Select((e, i) =>
    {
        var type = OrderTopics.TypeOf(e.GetType());
        return new OrderEvent
        {
            OrderId = Id,
            Sequence = i + 1,
            EventId = Guid.CreateVersion7(),
            Type = type.Name,
            Topic = type.Topic.Name,
            Partition = 0,
            Offset = i,
            At = FulfilmentMachine.Now.AddSeconds(i + 1),
            Data = Encoding.UTF8.GetString(JsonSerializer.SerializeToUtf8Bytes(e, type.Json)),
        };
    })];
}
