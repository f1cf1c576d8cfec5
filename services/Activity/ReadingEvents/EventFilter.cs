using Microsoft.EntityFrameworkCore;
using Shop.Activity.StoringEvents;
using Shop.Contracts;
using Shop.ServiceDefaults;

namespace Shop.Activity.ReadingEvents;

/// <summary>Which events are looked for; each that is given narrows the others down.</summary>
/// <param name="Order">Events of this order, from all services.</param>
/// <param name="Shopper">Events of this shopper's orders.</param>
/// <param name="Sku">Events of this product: its stock, its catalogue entry, and the orders in which it was ordered.</param>
/// <param name="Trace">Events of this trace (W3C Trace Context, 32 hexadecimal digits).</param>
internal sealed record EventFilter(Guid? Order, string? Shopper, string? Sku, string? Trace)
{
    /// <summary>Orders of a product from which on they are many.</summary>
    private const int ManyOrders = 5_000;

    private static readonly string[] SkuTopics = [Topics.Stock.Name, Topics.Catalog.Name, Topics.Alarms.Name];

    /// <summary>Whether everything is looked for.</summary>
    public bool IsEmpty => this == new EventFilter(null, null, null, null);

    /// <summary>Adds what is wrong with it.</summary>
    public void Check(ValidationErrors errors)
    {
        foreach (var (name, value) in new[] { ("shopper", Shopper), ("sku", Sku) })
        {
            if (value is not null && (value.Length is 0 or > StoredEvent.LongestSearchedKey || value.Contains('\0', StringComparison.Ordinal)))
                errors.Add(name, $"Must be a text of 1 to {StoredEvent.LongestSearchedKey} characters.");
        }
        if (Trace is not null && TraceIds.Parse(Trace) is null)
            errors.Add("trace", TraceIds.Rule);
    }

    /// <summary>The events that are looked for.</summary>
    public async Task<IQueryable<StoredEvent>> InAsync(ActivityDb db, CancellationToken cancellationToken)
    {
        var events = Sku is null ? db.Events : await OfSkuAsync(db, Sku, cancellationToken);
        if (Order?.ToString() is { } order)
            events = events.Where(e => e.Key == order && e.Key.Length <= StoredEvent.LongestSearchedKey && OrderTraces.OrderTopics.Contains(e.Topic));
        if (Shopper is not null)
            events = events.Where(e => OrderTraces.OrderTopics.Contains(e.Topic) && e.Key.Length <= StoredEvent.LongestSearchedKey
                && db.Orders.Where(owned => owned.ShopperId == Shopper && owned.ShopperId.Length <= StoredEvent.LongestSearchedKey).Select(owned => owned.OrderId.ToString()).Contains(e.Key));
        if (TraceIds.Parse(Trace) is { } trace)
            events = events.Where(e => e.TraceId == trace);
        return events;
    }

    /// <summary>
    /// A product's events. As one set of keys, its own and its orders', they are looked up by the index of keys, where two conditions of which either may hold have
    /// all events read. Of a product of many orders there is one everywhere: a page of them is found sooner by reading on from where it begins.
    /// </summary>
    private static async Task<IQueryable<StoredEvent>> OfSkuAsync(ActivityDb db, string sku, CancellationToken cancellationToken)
    {
        if (await db.OrderedSkus.Where(ordered => ordered.Sku == sku).OrderBy(ordered => ordered.OrderId).Take(ManyOrders).CountAsync(cancellationToken) < ManyOrders)
            return db.Events.FromSql($"SELECT * FROM events WHERE key IN (SELECT order_id::text FROM ordered_skus WHERE sku = {sku} UNION ALL SELECT {sku})")
                .Where(e => e.Key.Length <= StoredEvent.LongestSearchedKey && (SkuTopics.Contains(e.Topic) && e.Key == sku || OrderTraces.OrderTopics.Contains(e.Topic) && e.Key != sku));
        return db.Events.Where(e => e.Key.Length <= StoredEvent.LongestSearchedKey && (SkuTopics.Contains(e.Topic) && e.Key == sku
            || OrderTraces.OrderTopics.Contains(e.Topic) && db.OrderedSkus.Where(ordered => ordered.Sku == sku).Select(ordered => ordered.OrderId.ToString()).Contains(e.Key)));
    }
}
