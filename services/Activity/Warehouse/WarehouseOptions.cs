using System.ComponentModel.DataAnnotations;

namespace Shop.Activity.Warehouse;

/// <summary>Where and how the warehouse's files are written; configured by the section <c>Warehouse</c>.</summary>
public sealed class WarehouseOptions
{
    /// <summary>The folder; where neither it nor a bucket is named, nothing is written.</summary>
    public string? Directory { get; set; }

    /// <summary>An S3-compatible storage in place of a folder.</summary>
    public S3Options S3 { get; set; } = new();

    /// <summary>Bytes of events' data, before compression, with which a file is ended.</summary>
    [Range(1024, 1L << 30)]
    public long MaxSize { get; set; } = 64L << 20;

    /// <summary>After which time a file is ended, however small it is: how far the warehouse is behind.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00")]
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often small files are looked for.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00")]
    public TimeSpan MergeInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Files that are smaller, in bytes, are merged with their neighbours.</summary>
    [Range(0, 1L << 30)]
    public long MergeBelow { get; set; } = 8L << 20;

    /// <summary>How long files that were merged are kept aside: they come back where a machine ended before the merged one was on its disk.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan MergedKept { get; set; } = TimeSpan.FromMinutes(10);
}
