using Shop.Contracts;
using Shop.Orders.RepairingOrders;
using Sample = Shop.Orders.Tests.SampleOrders;

namespace Shop.Orders.Tests.RepairingOrders;

public sealed class OrderRepairTests
{
    private static readonly PaymentRequested PaymentRequested = new(Sample.Id, Sample.PaymentId, "ada", Sample.Total, "tok_visa", null, AddressHash.Of(Sample.ShipTo), "DE");

    public static TheoryData<string, object[]> Words { get; } = new()
    {
        { "Submitted", [Sample.OrderSubmitted] },
        { "Reserved", [Sample.OrderSubmitted, PaymentRequested] },
        { "InReview", [Sample.OrderSubmitted, PaymentRequested] },
        { "Confirmed", [Sample.OrderSubmitted, new OrderConfirmed(Sample.Id)] },
        { "Cancelled", [new OrderCancelled(Sample.Id, "why")] },
        { "Fulfilled", [] },
    };

    [Theory, MemberData(nameof(Words))]
    public void An_order_says_again_what_it_has_said(string state, object[] words)
    {
        var order = Sample.In(state);
        order.Reason = state == "Cancelled" ? "why" : null;

        Assert.Equal(words, OrderRepair.WordsOf(order));
    }
}
