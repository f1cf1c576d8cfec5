using System.Globalization;
using Shop.Contracts;
using Shop.ServiceDefaults;

namespace Shop.Payments.TryingRules;

/// <summary>Where a replay begins: with neither, at the beginning.</summary>
/// <param name="Time">With what happened from then on.</param>
/// <param name="Position">With a record, and what happened after it in other partitions.</param>
internal sealed record ReplayStart(DateTimeOffset? Time = null, RecordPosition? Position = null)
{
    private const string Beginning = "beginning";

    /// <summary>Reads <c>beginning</c>, an ISO 8601 time, or a record's place as <c>orders/3/120</c>.</summary>
    public static bool TryParse(string? text, out ReplayStart start)
    {
        start = new();
        if (text == Beginning)
            return true;
        if (IsoTime.TryParse(text, out var time))
        {
            // a broker has no times before that, and takes some for something else
            start = time <= DateTimeOffset.UnixEpoch ? new() : new(Time: time);
            return true;
        }
        if (text?.Split('/') is [var topic, var partition, var offset] && StoredPayments.Read.FirstOrDefault(known => known.Name == topic) is { } read
            && int.TryParse(partition, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < read.Partitions
            && long.TryParse(offset, NumberStyles.None, CultureInfo.InvariantCulture, out var at))
            start = new(Position: new(read, number, at));
        return start != new ReplayStart();
    }
}

/// <summary>Where a record is.</summary>
/// <param name="Topic">Its topic.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Offset">Its offset.</param>
internal sealed record RecordPosition(Topic Topic, int Partition, long Offset);
