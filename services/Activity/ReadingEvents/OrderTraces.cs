using Microsoft.EntityFrameworkCore;
using Shop.Activity.StoringEvents;
using Shop.Contracts;

namespace Shop.Activity.ReadingEvents;

/// <summary>From orders to the traces in which they were worked on, and back.</summary>
internal static class OrderTraces
{
    /// <summary>The topics whose keys are order ids.</summary>
    public static readonly string[] OrderTopics = [Topics.Orders.Name, Topics.Reservations.Name, Topics.Payments.Name];

    /// <summary>The traces of an order's events.</summary>
    public static IQueryable<string> TracesOf(this ActivityDb db, string order) => db.Events.AsNoTracking()
        .Where(e => e.Key == order && e.Key.Length <= StoredEvent.LongestSearchedKey && OrderTopics.Contains(e.Topic) && e.TraceId != null).Select(e => e.TraceId!).Distinct();

    /// <summary>The order of each trace that is about one.</summary>
    public static async Task<IReadOnlyDictionary<string, Guid>> OrdersOfAsync(this ActivityDb db, string[] traces, CancellationToken cancellationToken)
    {
        var orders = new Dictionary<string, Guid>();
        if (traces.Length == 0)
            return orders;
        var found = await db.Events.AsNoTracking().Where(e => traces.Contains(e.TraceId!) && OrderTopics.Contains(e.Topic))
            .Select(e => new { e.TraceId, e.Key }).Distinct().ToListAsync(cancellationToken);
        foreach (var traced in found)
        {
            if (Guid.TryParse(traced.Key, out var order))
                orders[traced.TraceId!] = order;
        }
        return orders;
    }
}
