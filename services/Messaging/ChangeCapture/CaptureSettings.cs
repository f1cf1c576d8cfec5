using System.ComponentModel.DataAnnotations;

namespace Shop.Messaging.ChangeCapture;

/// <summary>Bounds of change data capture; configured by the section <c>ChangeCapture</c>.</summary>
internal sealed class CaptureSettings
{
    /// <summary>The write-ahead log that a slot may hold back before an alarm is raised, in MiB; it ends when that is half.</summary>
    [Range(1, 1 << 30, ErrorMessage = "ChangeCapture:AlarmMegabytes must be from {1} to {2}")]
    public int AlarmMegabytes { get; set; } = 512;
}
