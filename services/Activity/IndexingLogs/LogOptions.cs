using System.ComponentModel.DataAnnotations;

namespace Shop.Activity.IndexingLogs;

/// <summary>Configured by the section <c>Logs</c>.</summary>
public sealed class LogOptions
{
    /// <summary>How long lines are kept.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How many lines are kept.</summary>
    [Range(1_000, 1_000_000_000)]
    public long MaxLines { get; set; } = 2_000_000;

    /// <summary>Errors of one service and event name that raise an alarm, each within <see cref="AlarmWindow"/> of the one before.</summary>
    [Range(1, 1_000_000)]
    public int AlarmErrors { get; set; } = 1;

    /// <summary>Within which errors are counted together; older ones raise no alarm.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan AlarmWindow { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long after the last error an alarm is cleared, though not before the window has passed: errors that come again and again are one alarm.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan AlarmCalm { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The longer of the two: after which an alarm is cleared.</summary>
    public TimeSpan ClearedAfter => AlarmCalm > AlarmWindow ? AlarmCalm : AlarmWindow;
}
