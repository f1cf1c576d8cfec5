using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Shop.Messaging.DeadLetters;
using Shop.Orders.FulfillingOrder;
using Shop.Orders.ReadingOrders;

namespace Shop.Orders.RepairingOrders;

/// <summary>
/// Finds the orders beyond the deadline of what they wait for. Most deadlines cancel their order, so whoever is still here is confirmed and
/// misses an answer, or its deadline itself did not come through: its key is parked, or the messaging stands still.
/// </summary>
internal sealed class StuckOrders(OrdersDb db, IOptions<OrderDeadlines> deadlines, TimeProvider time)
{
    /// <summary>A deadline that has just passed is on its way to its order, by way of the topic.</summary>
    private static readonly TimeSpan OnItsWay = TimeSpan.FromSeconds(5);

    /// <summary>Those submitted after the order <paramref name="after"/>, oldest first.</summary>
    public async Task<List<StuckOrder>> ListAsync(Guid? after, int limit, CancellationToken cancellationToken)
    {
        var orders = Stuck();
        if (after is { } last)
            orders = orders.Where(order => order.CorrelationId > last);
        var found = await orders.OrderBy(order => order.CorrelationId).Take(limit).ToListAsync(cancellationToken);
        var keys = found.ConvertAll(order => order.CorrelationId.ToString());
        // a parked key is what a repair cannot mend: its dead letter has to be redriven
        var parked = await db.ParkedKeysAsync("orders.fulfilment", keys, cancellationToken);
        return [.. found.Zip(keys, (order, key) => StuckOrder.Of(order, DeadlineOf(order), parked.TryGetValue(key, out var id) ? id : null))];
    }

    /// <summary>How many there are in each state; every state in which an order waits is named.</summary>
    public async Task<IReadOnlyDictionary<string, long>> CountAsync(CancellationToken cancellationToken)
    {
        var counts = await Stuck().GroupBy(order => order.CurrentState)
            .Select(group => new { State = group.Key, Count = group.LongCount() })
            .ToDictionaryAsync(group => group.State, group => group.Count, StringComparer.Ordinal, cancellationToken);
        return OrderStatus.OpenStates.ToDictionary(state => state, state => counts.GetValueOrDefault(state));
    }

    private IQueryable<Order> Stuck()
    {
        var passed = time.GetUtcNow() - OnItsWay;
        var submitted = passed - deadlines.Value.Reservation;
        return db.Orders.AsNoTracking().Where(order => OrderStatus.OpenStates.Contains(order.CurrentState)
            && (order.DeadlineAt < passed || order.DeadlineAt == null && order.SubmittedAt < submitted));
    }

    /// <summary>An order that was made by an older version has no deadline until its submission comes back to it, and waits for its reservation all the same.</summary>
    private DateTimeOffset DeadlineOf(Order order) => order.DeadlineAt ?? order.SubmittedAt + deadlines.Value.Reservation;
}
