using System.Diagnostics.Metrics;

namespace Shop.Orders;

/// <summary>What Orders measures of its own business.</summary>
/// <remarks>Orders are counted when what happened to them is committed: a batch that is rolled back and repeated counts once.</remarks>
internal static class OrderMetrics
{
    private const string StateTag = "shop.order.state";

    private static readonly Meter Meter = new("Shop.Orders");

    /// <summary>Orders accepted; repetitions do not count.</summary>
    public static readonly Counter<long> Submitted = Meter.CreateCounter<long>("shop.orders.submitted", "{order}", "Orders accepted");

    /// <summary>Streams that are open on this instance.</summary>
    public static readonly UpDownCounter<long> Streams = Meter.CreateUpDownCounter<long>("shop.orders.streams", "{stream}", "Open streams of orders");

    private static readonly Counter<long> Transitions = Meter.CreateCounter<long>("shop.orders.transitions", "{order}", "Orders that entered a state");

    private static readonly Histogram<double> Age = Meter.CreateHistogram<double>("shop.orders.age", "s", "Time from submission until a state was entered");

    private static volatile IReadOnlyList<Measurement<long>> _stuck = [];

    static OrderMetrics() => Meter.CreateObservableGauge("shop.orders.stuck", () => _stuck, "{order}", "Orders beyond the deadline of what they wait for");

    /// <summary>The orders that are stuck, by state: every state is named, so that a number goes back to 0. Each instance sees all of them: take the maximum, not the sum.</summary>
    public static void SetStuck(IReadOnlyDictionary<string, long> byState) =>
        _stuck = [.. byState.Select(count => new Measurement<long>(count.Value, new KeyValuePair<string, object?>(StateTag, count.Key)))];

    /// <summary>An order has entered a state.</summary>
    /// <param name="state">The state.</param>
    /// <param name="age">The time since the order was submitted.</param>
    public static void Entered(string state, TimeSpan age)
    {
        var tag = new KeyValuePair<string, object?>(StateTag, state);
        Transitions.Add(1, tag);
        Age.Record(age.TotalSeconds, tag);
    }
}
