using Shop.Contracts;
using Shop.Messaging.WarmUp;

namespace Shop.Activity;

/// <summary>An event that is kept, and its order's timeline.</summary>
internal sealed class ActivityWarmUp(TimeProvider time) : IWarmUp
{
    public async Task RunAsync(Rehearsal rehearsal, CancellationToken cancellationToken)
    {
        var (order, price) = (Guid.CreateVersion7(), new Money(1, "EUR"));
        await rehearsal.HandleAsync("feed",
        [
            new OrderSubmitted(order, "warm-up", [new("warm-up", 1, price)], price, new("A", "1", "B", "1", "DE"), time.GetUtcNow()),
            new OrderConfirmed(order),
        ], cancellationToken);
        await rehearsal.RequestAsync("GET", "/api/orders/{id:guid}/timeline", cancellationToken, new Dictionary<string, string> { ["id"] = order.ToString() });
    }
}
