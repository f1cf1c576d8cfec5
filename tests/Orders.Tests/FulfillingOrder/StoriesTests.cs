using Shop.Contracts;
using Sample = Shop.Orders.Tests.SampleOrders;

namespace Shop.Orders.Tests.FulfillingOrder;

/// <summary>Orders from their submission to their end.</summary>
public sealed class StoriesTests
{
    [Fact]
    public async Task Stock_and_payment_lead_to_fulfilment()
    {
        await using var order = await FulfilmentMachine.GivenAsync("Submitted");

        await order.WhenAsync(Sample.OrderSubmitted, Sample.StockReserved, Sample.PaymentAuthorized, Sample.StockDispatched, Sample.PaymentCaptured);

        Assert.Equal("Fulfilled", order.Order.CurrentState);
        Assert.Equal([new PaymentRequested(Sample.Id, Sample.PaymentId, "ada", Sample.Total, "tok_visa", null, AddressHash.Of(Sample.ShipTo), "DE"), new OrderConfirmed(Sample.Id), new OrderFulfilled(Sample.Id)], order.Published);
        Assert.Empty(order.Scheduled);
    }

    [Fact]
    public async Task Capture_may_be_known_before_dispatch()
    {
        await using var order = await FulfilmentMachine.GivenAsync("Confirmed");

        await order.WhenAsync(Sample.PaymentCaptured, Sample.PaymentCaptured);
        Assert.Equal("Confirmed", order.Order.CurrentState);
        await order.WhenAsync(Sample.StockDispatched);

        Assert.Equal("Fulfilled", order.Order.CurrentState);
        Assert.Equal([new OrderFulfilled(Sample.Id)], order.Published);
    }

    [Fact]
    public async Task Stock_reserved_before_the_submission_is_seen_asks_for_payment_once_and_keeps_the_payments_deadline()
    {
        await using var order = await FulfilmentMachine.GivenAsync("Submitted");

        await order.WhenAsync(Sample.StockReserved, Sample.OrderSubmitted);

        Assert.Equal("Reserved", order.Order.CurrentState);
        Assert.Single(order.Published);
        Assert.Equal((Sample.PaymentDeadline, order.Time.GetUtcNow().UtcDateTime + FulfilmentMachine.Deadlines.Payment), Assert.Single(order.Scheduled).Value);
    }

    [Fact]
    public async Task The_reason_says_what_is_short()
    {
        await using var order = await FulfilmentMachine.GivenAsync("Submitted");

        await order.WhenAsync(Sample.OrderSubmitted, Sample.StockRejected);

        Assert.Equal("Not enough in stock: mug-blue (2 ordered, 1 available), pen (3 ordered, 0 available)", order.Order.Reason);
        Assert.Equal([new OrderCancelled(Sample.Id, order.Order.Reason!)], order.Published);
        Assert.Empty(order.Scheduled);
    }

    [Fact]
    public async Task The_reason_says_why_the_payment_was_declined()
    {
        await using var order = await FulfilmentMachine.GivenAsync("Submitted");

        await order.WhenAsync(Sample.OrderSubmitted, Sample.StockReserved, Sample.PaymentDeclined);

        Assert.Equal("Payment declined: card_declined", order.Order.Reason);
        Assert.Equal(new OrderCancelled(Sample.Id, order.Order.Reason!), order.Published[^1]);
        Assert.Empty(order.Scheduled);
    }

    [Fact]
    public async Task A_held_payment_that_is_approved_confirms_the_order()
    {
        await using var order = await FulfilmentMachine.GivenAsync("Submitted");

        await order.WhenAsync(Sample.OrderSubmitted, Sample.StockReserved, Sample.PaymentHeld);
        Assert.Equal("InReview", order.Order.CurrentState);
        Assert.Equal((Sample.ReviewDeadline, order.Time.GetUtcNow().UtcDateTime + FulfilmentMachine.Deadlines.Review), Assert.Single(order.Scheduled).Value);
        await order.WhenAsync(Sample.PaymentAuthorized);

        Assert.Equal("Confirmed", order.Order.CurrentState);
        Assert.Equal((Sample.FulfilmentDeadline, order.Time.GetUtcNow().UtcDateTime + FulfilmentMachine.Deadlines.Fulfilment), Assert.Single(order.Scheduled).Value);
    }

    [Theory]
    [InlineData("reservation", "The stock could not be reserved in time")]
    [InlineData("payment", "The payment could not be completed in time")]
    [InlineData("review", "The payment was not approved in time")]
    public async Task A_deadline_cancels_the_order_that_still_waits(string waitingFor, string reason)
    {
        await using var order = await FulfilmentMachine.GivenAsync("Submitted");
        await order.WhenAsync(waitingFor switch
        {
            "reservation" => [Sample.OrderSubmitted],
            "payment" => [Sample.OrderSubmitted, Sample.StockReserved],
            _ => [Sample.OrderSubmitted, Sample.StockReserved, Sample.PaymentHeld],
        });
        var (token, (deadline, _)) = Assert.Single(order.Scheduled);

        await order.WhenDeadlinePassesAsync(token, deadline);

        Assert.Equal(waitingFor, deadline.WaitingFor);
        Assert.Equal(("Cancelled", reason), (order.Order.CurrentState, order.Order.Reason));
        Assert.Equal(new OrderCancelled(Sample.Id, reason), order.Published[^1]);
    }

    [Theory]
    [InlineData("Overdue: the goods were not sent, and the payment was not taken, in time")]
    [InlineData("Overdue: sent, but the payment was not taken in time", "StockDispatched")]
    [InlineData("Overdue: paid, but the goods were not sent in time", "PaymentCaptured")]
    public async Task A_confirmed_order_that_is_overdue_says_so_and_is_fulfilled_all_the_same(string reason, params string[] events)
    {
        await using var order = await FulfilmentMachine.GivenAsync("Reserved");
        await order.WhenAsync([Sample.PaymentAuthorized, .. events.Select(name => Sample.Events[name])]);
        var (token, (deadline, due)) = Assert.Single(order.Scheduled);
        Assert.Equal(due, order.Order.DeadlineAt!.Value.UtcDateTime);

        await order.WhenDeadlinePassesAsync(token, deadline);

        Assert.Equal(("Confirmed", reason, due), (order.Order.CurrentState, order.Order.Reason, order.Order.DeadlineAt?.UtcDateTime));
        await order.WhenAsync(Sample.StockDispatched, Sample.PaymentCaptured);
        Assert.Equal(("Fulfilled", null, null), (order.Order.CurrentState, order.Order.Reason, order.Order.DeadlineAt));
        Assert.Equal([new OrderConfirmed(Sample.Id), new OrderFulfilled(Sample.Id)], order.Published);
    }

    [Fact]
    public async Task A_confirmed_order_whose_reservation_was_lost_is_cancelled_even_where_its_money_was_taken()
    {
        await using var order = await FulfilmentMachine.GivenAsync("Confirmed");

        await order.WhenAsync(Sample.PaymentCaptured, Sample.StockReleased, Sample.PaymentRefunded);

        Assert.Equal(("Cancelled", "The reserved stock was given back before the order was complete"), (order.Order.CurrentState, order.Order.Reason));
        Assert.Equal([new OrderCancelled(Sample.Id, order.Order.Reason!)], order.Published);
    }

    [Theory]
    [InlineData("StockDispatched", "PaymentVoided")]
    [InlineData("PaymentVoided", "StockDispatched", "StockDispatched")]
    public async Task Money_that_was_taken_back_when_the_goods_had_left_is_no_secret(params string[] events)
    {
        await using var order = await FulfilmentMachine.GivenAsync("Confirmed");

        await order.WhenAsync([.. events.Select(name => Sample.Events[name])]);

        Assert.Equal(("Cancelled", "The payment was taken back; the goods had left already"), (order.Order.CurrentState, order.Order.Reason));
        Assert.True(order.Order.Dispatched);
    }

    [Fact]
    public async Task A_deadline_that_was_replaced_while_it_was_on_its_way_has_no_effect()
    {
        await using var order = await FulfilmentMachine.GivenAsync("Submitted");
        await order.WhenAsync(Sample.OrderSubmitted);
        var (token, (deadline, _)) = Assert.Single(order.Scheduled);
        await order.WhenAsync(Sample.StockReserved);

        await order.WhenDeadlinePassesAsync(token, deadline);

        Assert.Equal("Reserved", order.Order.CurrentState);
        Assert.Single(order.Scheduled);
    }

    [Theory]
    [InlineData("Submitted")]
    [InlineData("Reserved")]
    [InlineData("InReview")]
    public async Task What_crossed_a_cancellation_changes_nothing(string state)
    {
        await using var order = await FulfilmentMachine.GivenAsync(state);

        await order.WhenAsync(Sample.CancellationRequested, Sample.StockReserved, Sample.PaymentHeld, Sample.PaymentAuthorized, Sample.PaymentCaptured, Sample.StockReleased, Sample.PaymentRefunded, Sample.CancellationRequested);

        Assert.Equal(("Cancelled", "Cancelled by the shopper"), (order.Order.CurrentState, order.Order.Reason));
        Assert.Equal([new OrderCancelled(Sample.Id, "Cancelled by the shopper")], order.Published);
    }

    [Fact]
    public async Task A_cancellation_after_the_confirmation_is_too_late()
    {
        await using var order = await FulfilmentMachine.GivenAsync("Reserved");

        await order.WhenAsync(Sample.PaymentAuthorized, Sample.CancellationRequested, Sample.StockDispatched, Sample.PaymentCaptured, Sample.CancellationRequested);

        Assert.Equal(("Fulfilled", null), (order.Order.CurrentState, order.Order.Reason));
        Assert.Equal([new OrderConfirmed(Sample.Id), new OrderFulfilled(Sample.Id)], order.Published);
    }
}
