using System.ComponentModel.DataAnnotations;

namespace Shop.Activity.CountingWindows;

/// <summary>Configured by the section <c>Windows</c>.</summary>
public sealed class WindowOptions
{
    /// <summary>
    /// How much later than it happened an event may have been written to its topic, and still be counted in its window; the same difference is
    /// allowed to a clock that is ahead. Both times are in the record, so that counting again counts the same.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "365.00:00:00")]
    public TimeSpan Lateness { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long windows are kept.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "3650.00:00:00")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(90);
}
