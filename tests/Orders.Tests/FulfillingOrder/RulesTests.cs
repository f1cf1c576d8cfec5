using MassTransit;
using Shop.Contracts;
using Shop.Orders.FulfillingOrder;

namespace Shop.Orders.Tests.FulfillingOrder;

/// <summary>Every event in every state: it moves the order as the table says, or changes nothing, and never fails.</summary>
public sealed class RulesTests
{
    /// <summary>The events that mean something in a state: the state they lead to, and what they publish. All others are to be ignored.</summary>
    private static readonly Dictionary<(string State, string Event), (string Next, Type? Published)> Rules = new()
    {
        [("Submitted", "OrderSubmitted")] = ("Submitted", null),
        [("Submitted", "StockReserved")] = ("Reserved", typeof(PaymentRequested)),
        [("Submitted", "StockRejected")] = ("Cancelled", typeof(OrderCancelled)),
        [("Submitted", "StockReleased")] = ("Cancelled", typeof(OrderCancelled)),
        [("Submitted", "CancellationRequested")] = ("Cancelled", typeof(OrderCancelled)),
        [("Reserved", "PaymentAuthorized")] = ("Confirmed", typeof(OrderConfirmed)),
        [("Reserved", "PaymentHeld")] = ("InReview", null),
        [("Reserved", "PaymentDeclined")] = ("Cancelled", typeof(OrderCancelled)),
        [("Reserved", "PaymentVoided")] = ("Cancelled", typeof(OrderCancelled)),
        [("Reserved", "PaymentRefunded")] = ("Cancelled", typeof(OrderCancelled)),
        [("Reserved", "StockRejected")] = ("Cancelled", typeof(OrderCancelled)),
        [("Reserved", "StockReleased")] = ("Cancelled", typeof(OrderCancelled)),
        [("Reserved", "CancellationRequested")] = ("Cancelled", typeof(OrderCancelled)),
        [("InReview", "PaymentAuthorized")] = ("Confirmed", typeof(OrderConfirmed)),
        [("InReview", "PaymentDeclined")] = ("Cancelled", typeof(OrderCancelled)),
        [("InReview", "PaymentVoided")] = ("Cancelled", typeof(OrderCancelled)),
        [("InReview", "PaymentRefunded")] = ("Cancelled", typeof(OrderCancelled)),
        [("InReview", "StockRejected")] = ("Cancelled", typeof(OrderCancelled)),
        [("InReview", "StockReleased")] = ("Cancelled", typeof(OrderCancelled)),
        [("InReview", "CancellationRequested")] = ("Cancelled", typeof(OrderCancelled)),
        [("Confirmed", "StockDispatched")] = ("Confirmed", null),
        [("Confirmed", "PaymentCaptured")] = ("Confirmed", null),
        [("Confirmed", "StockRejected")] = ("Cancelled", typeof(OrderCancelled)),
        [("Confirmed", "StockReleased")] = ("Cancelled", typeof(OrderCancelled)),
        [("Confirmed", "PaymentDeclined")] = ("Cancelled", typeof(OrderCancelled)),
        [("Confirmed", "PaymentVoided")] = ("Cancelled", typeof(OrderCancelled)),
        [("Confirmed", "PaymentRefunded")] = ("Cancelled", typeof(OrderCancelled)),
    };

    public static TheoryData<string, string> EveryEventInEveryState { get; } =
        [.. from state in SampleOrders.States from e in SampleOrders.Events.Keys select (state, e)];

    [Theory, MemberData(nameof(EveryEventInEveryState))]
    public async Task An_event_moves_the_order_or_changes_nothing(string state, string name)
    {
        await using var machine = await FulfilmentMachine.GivenAsync(state);

        await machine.WhenAsync(SampleOrders.Events[name]);

        var (next, published) = Rules.GetValueOrDefault((state, name), (state, null));
        Assert.Equal(next, machine.Order.CurrentState);
        Assert.Equal(published is null ? [] : [published], machine.Published.Select(e => e.GetType()));
        // goods that leave after the cancellation are a loss, which is said
        Assert.Equal(next == "Cancelled" && (state != "Cancelled" || name == "StockDispatched"), machine.Order.Reason is not null);
        Assert.Equal(next == state ? FulfilmentMachine.Now : machine.Time.GetUtcNow(), machine.Order.UpdatedAt);
    }

    [Theory, MemberData(nameof(EveryEventInEveryState))]
    public async Task An_event_that_is_repeated_publishes_nothing_more(string state, string name)
    {
        await using var machine = await FulfilmentMachine.GivenAsync(state);
        await machine.WhenAsync(SampleOrders.Events[name]);
        var (stateAfterOne, publishedByOne) = (machine.Order.CurrentState, machine.Published.Count);

        await machine.WhenAsync(SampleOrders.Events[name]);

        Assert.Equal(stateAfterOne, machine.Order.CurrentState);
        Assert.Equal(publishedByOne, machine.Published.Count);
        Assert.True(machine.Scheduled.Count <= 1, "a repeated event must replace its deadline");
    }

    [Theory]
    [InlineData("Submitted", true)]
    [InlineData("Reserved", true)]
    [InlineData("InReview", true)]
    [InlineData("Confirmed", false)] // it is overdue: see StoriesTests
    [InlineData("Fulfilled", false)]
    [InlineData("Cancelled", false)]
    public async Task The_orders_own_deadline_cancels_it_where_it_waits(string state, bool cancels)
    {
        await using var machine = await FulfilmentMachine.GivenAsync(state);
        machine.Order.DeadlineToken = Guid.NewGuid();

        await machine.WhenDeadlinePassesAsync(machine.Order.DeadlineToken.Value, SampleOrders.PaymentDeadline);

        Assert.Equal(cancels ? "Cancelled" : state, machine.Order.CurrentState);
        Assert.Equal(cancels ? [typeof(OrderCancelled)] : [], machine.Published.Select(e => e.GetType()));
    }

    [Theory]
    [InlineData("Submitted")]
    [InlineData("Reserved")]
    [InlineData("InReview")]
    public async Task A_deadline_of_another_token_changes_nothing(string state)
    {
        await using var machine = await FulfilmentMachine.GivenAsync(state);
        machine.Order.DeadlineToken = Guid.NewGuid();

        await machine.WhenDeadlinePassesAsync(Guid.NewGuid(), SampleOrders.PaymentDeadline);

        Assert.Equal(state, machine.Order.CurrentState);
        Assert.NotNull(machine.Order.DeadlineToken);
        Assert.Empty(machine.Published);
    }

    [Fact]
    public void The_tests_know_every_event_and_state_of_the_machine()
    {
        var machine = new OrderFulfilment();

        var handled = machine.Events.Where(e => !e.Name.Contains('.', StringComparison.Ordinal) && e != machine.Deadline.AnyReceived)
            .Select(e => e.Name).Where(name => !machine.States.Any(state => name.StartsWith(state.Name, StringComparison.Ordinal)));
        Assert.Equal(SampleOrders.Events.Keys.Order(), handled.Order());
        Assert.Equal(SampleOrders.States.Order(), machine.States.Select(state => state.Name).Except(["Initial", "Final"]).Order());
    }

    [Fact]
    public void An_order_can_be_cancelled_where_the_machine_would_cancel_it()
    {
        foreach (var state in SampleOrders.States)
            Assert.Equal(Rules.ContainsKey((state, nameof(SampleOrders.CancellationRequested))), SampleOrders.In(state).CanBeCancelled);
    }

    [Fact]
    public async Task An_event_of_no_order_is_an_error()
    {
        await using var machine = await FulfilmentMachine.GivenAsync("Submitted");

        await Assert.ThrowsAsync<SagaException>(() => machine.WhenAsync(SampleOrders.StockReserved with { OrderId = Guid.NewGuid() }));
    }
}
