using System.Globalization;
using System.Text.RegularExpressions;

namespace Shop.Contracts.Warehouse;

/// <summary>A file of the warehouse, as its path tells: the records of one partition of a topic from an offset to another, both included.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition.</param>
/// <param name="Hour">The UTC hour in which its records were written to the topic.</param>
/// <param name="First">The first offset.</param>
/// <param name="Last">The last offset.</param>
public sealed partial record WarehouseFile(string Topic, int Partition, DateTimeOffset Hour, long First, long Last)
{
    /// <summary>The file's folder under the warehouse, as Hive names partitions.</summary>
    public string Folder => string.Create(CultureInfo.InvariantCulture,
        $"topic={Topic}/{WarehouseTable.DatePartition}={Hour.UtcDateTime:yyyy-MM-dd}/{WarehouseTable.HourPartition}={Hour.UtcDateTime:HH}");

    /// <summary>Its name in the folder.</summary>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"{Topic}-{Partition:D5}-{First:D19}-{Last:D19}.parquet");

    /// <summary>Its path under the warehouse.</summary>
    public string Path => $"{Folder}/{Name}";

    /// <summary>The files in a warehouse's folder, those among them that are being replaced: see <see cref="Current"/>.</summary>
    public static IReadOnlyList<WarehouseFile> In(string folder) => !Directory.Exists(folder) ? [] :
        [.. Directory.EnumerateDirectories(folder, "topic=*").SelectMany(topic => Directory.EnumerateFiles(topic, "*.parquet", SearchOption.AllDirectories)).Select(Parse).OfType<WarehouseFile>()];

    /// <summary>Reads a path; null where it is not a file of the warehouse.</summary>
    public static WarehouseFile? Parse(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Pattern().Match(path.Replace('\\', '/')) is not { Success: true } match
            || !DateTimeOffset.TryParseExact($"{match.Groups["date"].Value} {match.Groups["hour"].Value}", "yyyy-MM-dd HH", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var hour))
            return null;
        // nineteen digits may be more than any offset
        return long.TryParse(match.Groups["first"].Value, CultureInfo.InvariantCulture, out var first) && long.TryParse(match.Groups["last"].Value, CultureInfo.InvariantCulture, out var last)
            ? new(match.Groups["topic"].Value, int.Parse(match.Groups["partition"].Value, CultureInfo.InvariantCulture), hour.ToUniversalTime(), first, last)
            : null;
    }

    /// <summary>
    /// The files that hold each record once: while small files are replaced by a merged one, both may be there for a moment, and what lies
    /// within another's range is left out.
    /// </summary>
    public static IReadOnlyList<WarehouseFile> Current(IEnumerable<WarehouseFile> files)
    {
        var current = new List<WarehouseFile>();
        foreach (var file in files.OrderBy(file => file.Topic, StringComparer.Ordinal).ThenBy(file => file.Partition).ThenBy(file => file.First).ThenByDescending(file => file.Last))
        {
            if (current is not [.., var before] || before.Topic != file.Topic || before.Partition != file.Partition || before.Last < file.Last)
                current.Add(file);
        }
        return current;
    }

    [GeneratedRegex(@"(?:^|/)topic=(?<topic>[^/]+)/date=(?<date>[0-9-]{10})/hour=(?<hour>[0-9]{2})/\k<topic>-(?<partition>[0-9]{5,9})-(?<first>[0-9]{19})-(?<last>[0-9]{19})\.parquet$", RegexOptions.ExplicitCapture)]
    private static partial Regex Pattern();
}
