using Shop.Contracts;
using Shop.Inventory.ReservingStock;

namespace Shop.Inventory.Tests;

public sealed class ReservationDeciderTests
{
    private static readonly Guid Order = Guid.CreateVersion7();
    private static readonly IReadOnlyList<ReservedLine> Held = [new("mug", 3), new("cap", 1)];
    private static readonly IReadOnlyList<Shortage> Missing = [new("cap", 1, 0)];

    [Fact]
    public void Enough_of_everything_is_reserved()
    {
        var decision = Submitted(null, [("mug", 3), ("cap", 1)], ("mug", 3), ("cap", 100));

        Assert.Equal([new("mug", 3), new("cap", 1)], Assert.IsType<ReservationDecision.Reserve>(decision).Lines);
    }

    [Fact]
    public void One_short_line_rejects_the_whole_order()
    {
        var decision = Submitted(null, [("mug", 3), ("cap", 2), ("pen", 9)], ("mug", 3), ("cap", 1), ("pen", 0));

        var reject = Assert.IsType<ReservationDecision.Reject>(decision);
        Assert.Equal([new("cap", 2, 1), new("pen", 9, 0)], reject.Shortages);
        Assert.Equal([new("mug", 3), new("cap", 2), new("pen", 9)], reject.Lines);
    }

    [Fact]
    public void What_does_not_exist_is_short()
    {
        var decision = Submitted(null, [("unicorn", 1)]);

        Assert.Equal([new("unicorn", 1, 0)], Assert.IsType<ReservationDecision.Reject>(decision).Shortages);
    }

    [Fact]
    public void Lines_of_one_sku_count_together()
    {
        Assert.Equal([new("mug", 5, 4)], Assert.IsType<ReservationDecision.Reject>(Submitted(null, [("mug", 2), ("mug", 3)], ("mug", 4))).Shortages);
        Assert.Equal([new("mug", 5)], Assert.IsType<ReservationDecision.Reserve>(Submitted(null, [("mug", 2), ("mug", 3)], ("mug", 5))).Lines);
    }

    [Fact]
    public void A_sum_beyond_an_integer_is_short_and_does_not_wrap()
    {
        var decision = Submitted(null, [("mug", int.MaxValue), ("mug", int.MaxValue)], ("mug", int.MaxValue - 1));

        Assert.Equal([new("mug", int.MaxValue, int.MaxValue - 1)], Assert.IsType<ReservationDecision.Reject>(decision).Shortages);
    }

    [Theory, InlineData(0), InlineData(-1), InlineData(int.MinValue)]
    public void A_line_of_nothing_or_less_never_becomes_stock(int quantity)
    {
        var decision = Submitted(null, [("mug", 5), ("mug", quantity)], ("mug", 10));

        Assert.Equal([new("mug", quantity, 10)], Assert.IsType<ReservationDecision.Reject>(decision).Shortages);
    }

    [Theory, InlineData("Reserved"), InlineData("Rejected"), InlineData("Released"), InlineData("Dispatched")]
    public void An_order_that_is_submitted_again_is_told_what_was_decided(string status) =>
        Assert.Equal(Told(status), Assert.IsType<ReservationDecision.Repeat>(Submitted(Given(status), [("mug", 3)], ("mug", 100))).Event);

    [Fact]
    public void A_cancelled_order_gives_back_what_it_held() =>
        Assert.Equal(Held, Assert.IsType<ReservationDecision.Release>(ReservationDecider.OnCancelled(Given("Reserved"))).Lines);

    [Theory, InlineData(null), InlineData("Rejected")]
    public void A_cancelled_order_that_never_held_anything_gives_nothing_back(string? status) =>
        Assert.IsType<ReservationDecision.Ignore>(ReservationDecider.OnCancelled(Given(status)));

    [Theory, InlineData("Released"), InlineData("Dispatched")]
    public void A_cancelled_order_that_holds_nothing_any_more_is_told_so(string status) =>
        Assert.Equal(Told(status), Assert.IsType<ReservationDecision.Repeat>(ReservationDecider.OnCancelled(Given(status))).Event);

    [Fact]
    public void A_confirmed_order_is_dispatched() =>
        Assert.Equal(Held, Assert.IsType<ReservationDecision.Dispatch>(ReservationDecider.OnConfirmed(Given("Reserved"))).Lines);

    [Theory, InlineData("Rejected"), InlineData("Released"), InlineData("Dispatched")]
    public void A_confirmed_order_that_holds_nothing_is_told_why(string status) =>
        Assert.Equal(Told(status), Assert.IsType<ReservationDecision.Repeat>(ReservationDecider.OnConfirmed(Given(status))).Event);

    [Fact]
    public void A_confirmed_order_whose_submission_is_missing_waits_for_it() =>
        Assert.IsType<ReservationDecision.Ignore>(ReservationDecider.OnConfirmed(null));

    private static object Told(string status) => status switch
    {
        "Reserved" => new StockReserved(Order, Held),
        "Rejected" => new StockRejected(Order, Missing),
        "Released" => new StockReleased(Order, Held),
        _ => new StockDispatched(Order, Held),
    };

    private static Reservation? Given(string? status) =>
        status is null ? null : new(Order, Enum.Parse<ReservationStatus>(status), Held, status == "Rejected" ? Missing : [], DateTimeOffset.UnixEpoch);

    private static ReservationDecision Submitted(Reservation? before, (string Sku, int Quantity)[] lines, params (string Sku, int Available)[] stock) =>
        ReservationDecider.OnSubmitted(
            before,
            [.. lines.Select(line => new OrderLine(line.Sku, line.Quantity, new(1, "EUR")))],
            sku => stock.FirstOrDefault(item => item.Sku == sku).Available);
}
