using System.ComponentModel.DataAnnotations;

namespace Shop.Activity.CollectingActivity;

/// <summary>How much of what visitors do is taken in; configured by the section <c>Collecting</c>.</summary>
public sealed class CollectingOptions
{
    /// <summary>Events a second of one address, on each instance; as many as ten seconds' may come at once.</summary>
    [Range(1, 1_000_000)]
    public int EventsPerAddress { get; set; } = 50;

    /// <summary>Events a second of everybody, on each instance: with the topic's retention it bounds what anybody can fill.</summary>
    [Range(1, 1_000_000)]
    public int EventsPerInstance { get; set; } = 10_000;
}
