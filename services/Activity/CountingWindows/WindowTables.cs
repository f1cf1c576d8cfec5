namespace Shop.Activity.CountingWindows;

/// <summary>What is counted in a minute.</summary>
/// <param name="Minute">The minute's begin, by the time at which events happened.</param>
/// <param name="Measure">One of <see cref="Measures"/>.</param>
/// <param name="Dimension">What is told apart: a currency, a sku; empty where nothing is.</param>
/// <param name="Lane">The partition number whose events are counted: each lane has rows of its own, so that none waits for another.</param>
/// <param name="Value">The number or the sum.</param>
internal sealed record WindowCount(DateTimeOffset Minute, string Measure, string Dimension, int Lane, decimal Value);

/// <summary>An order that may still be confirmed, with what will then be counted: its confirmation does not say it again.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Amount">Its total.</param>
/// <param name="Currency">The total's currency.</param>
/// <param name="Skus">What was ordered.</param>
/// <param name="Quantities">Pieces of each.</param>
internal sealed record OpenOrder(Guid OrderId, decimal Amount, string Currency, string[] Skus, int[] Quantities);

/// <summary>A partition whose events are counted: whoever counts some holds its lock.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition.</param>
/// <param name="Token">Of the transaction that counted last.</param>
internal sealed record CountedLogRow(string Topic, int Partition, Guid? Token);

/// <summary>Events of a partition that a transaction has counted.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition.</param>
/// <param name="Slot">When they were made: the begin of the ten seconds.</param>
/// <param name="Token">Of the transaction.</param>
/// <param name="Ids">Their ids, 16 bytes each.</param>
/// <param name="CountedAt">When they were counted.</param>
internal sealed record CountedEventsRow(string Topic, int Partition, DateTimeOffset Slot, Guid Token, byte[] Ids, DateTimeOffset CountedAt);

/// <summary>What the windows count.</summary>
internal static class Measures
{
    public const string Submitted = "submitted", Confirmed = "confirmed", Fulfilled = "fulfilled", Cancelled = "cancelled";

    /// <summary>Amounts of confirmed orders, by currency.</summary>
    public const string Revenue = "revenue";

    /// <summary>Pieces of confirmed orders, by sku.</summary>
    public const string Sold = "sold";

    /// <summary>Events of visitors.</summary>
    public const string Viewed = "viewed", Cart = "cart", Checkout = "checkout";

    /// <summary>Payments that were held for review.</summary>
    public const string Held = "held";

    public const string Alarms = "alarms";

    /// <summary>Events that came too late for their window, by type; in the minute in which they came.</summary>
    public const string Late = "late";
}
