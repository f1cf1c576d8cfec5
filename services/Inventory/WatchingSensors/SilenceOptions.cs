using System.ComponentModel.DataAnnotations;

namespace Shop.Inventory.WatchingSensors;

/// <summary>When a sensor counts as silent; configured by the section <c>Sensors</c>.</summary>
internal sealed class SilenceOptions
{
    /// <summary>How long nothing may come from a sensor: several times the interval in which it sends.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00", ErrorMessage = "Sensors:SilentAfter must be from {1} to {2}")]
    public TimeSpan SilentAfter { get; set; } = TimeSpan.FromSeconds(30);
}
