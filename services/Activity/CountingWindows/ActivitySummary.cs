using Shop.Contracts;

namespace Shop.Activity.CountingWindows;

/// <summary>Orders by what became of them, each counted when it happened.</summary>
internal sealed record OrderCounts(long Submitted, long Confirmed, long Fulfilled, long Cancelled);

/// <summary>How far visitors come: products viewed, put into carts, checkouts, confirmed orders.</summary>
internal sealed record Funnel(long Viewed, long Cart, long Checkout, long Confirmed);

/// <summary>Pieces of a product that were sold.</summary>
internal sealed record BestSeller(string Sku, long Quantity);

/// <summary>What happened in the shop from a minute to before another, by the time at which it happened.</summary>
/// <param name="From">The first minute's begin.</param>
/// <param name="To">The last minute's end.</param>
/// <param name="Orders">Orders by outcome.</param>
/// <param name="Revenue">Totals of confirmed orders, by currency.</param>
/// <param name="Funnel">The way to an order.</param>
/// <param name="BestSellers">The ten products of which most was sold in confirmed orders, most first.</param>
/// <param name="Held">Payments that were held for review.</param>
/// <param name="Alarms">Alarms that were raised.</param>
internal sealed record ActivitySummary(DateTimeOffset From, DateTimeOffset To, OrderCounts Orders, IReadOnlyList<Money> Revenue, Funnel Funnel,
    IReadOnlyList<BestSeller> BestSellers, long Held, long Alarms)
{
    /// <summary>Makes one of what was counted, best sellers in their order.</summary>
    public static ActivitySummary Of(DateTimeOffset from, DateTimeOffset to, IReadOnlyList<(string Measure, string Dimension, decimal Value)> counts)
    {
        return new(from, to,
            new(Total(Measures.Submitted), Total(Measures.Confirmed), Total(Measures.Fulfilled), Total(Measures.Cancelled)),
            [.. Each(Measures.Revenue).OrderBy(c => c.Dimension, StringComparer.Ordinal).Select(c => new Money(c.Value, c.Dimension))],
            new(Total(Measures.Viewed), Total(Measures.Cart), Total(Measures.Checkout), Total(Measures.Confirmed)),
            [.. Each(Measures.Sold).Select(c => new BestSeller(c.Dimension, (long)c.Value))],
            Total(Measures.Held), Total(Measures.Alarms));

        IEnumerable<(string Measure, string Dimension, decimal Value)> Each(string measure) => counts.Where(c => c.Measure == measure);
        long Total(string measure) => (long)Each(measure).Sum(c => c.Value);
    }
}
