using System.ComponentModel.DataAnnotations;

namespace Shop.Orders.StreamingOrders;

/// <summary>How many streams an instance keeps open, and how; configured by the section <c>Streams</c>.</summary>
public sealed class StreamOptions
{
    /// <summary>Streams of one shopper, on each instance.</summary>
    [Range(1, 100_000)]
    public int PerShopper { get; set; } = 20;

    /// <summary>Streams of everybody, on each instance.</summary>
    [Range(1, 100_000)]
    public int PerInstance { get; set; } = 10_000;

    /// <summary>Time between two comments that keep an idle stream open; the gateway gives up what is silent for 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:00:25")]
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(15);
}
