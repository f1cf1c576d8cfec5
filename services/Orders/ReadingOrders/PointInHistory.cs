using System.Globalization;
using Shop.Orders.RecordingHistory;

namespace Shop.Orders.ReadingOrders;

/// <summary>A point in an order's history: a time, or right after one of its events.</summary>
/// <param name="Time">Up to and including this moment; null where an event is given.</param>
/// <param name="EventId">Up to and including this event; null where a time is given.</param>
public readonly record struct PointInHistory(DateTimeOffset? Time, Guid? EventId)
{
    /// <summary>What is wrong with a text that <see cref="TryParse"/> does not take.</summary>
    public const string Expected = "Must be a time with its offset (RFC 3339, such as 2026-11-23T08:00:00Z; write the + of an offset as %2B) or the id of an event.";

    // RFC 3339, section 5.6; the database keeps microseconds
    private static readonly string[] Formats = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    /// <summary>Reads an RFC 3339 time or a UUID.</summary>
    public static bool TryParse(string text, out PointInHistory point)
    {
        point = default;
        if (Guid.TryParseExact(text, "D", out var id))
            point = new(null, id);
        // without an offset it would be the server's time, which nobody meant
        else if (DateTimeOffset.TryParseExact(text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) && HasOffset(text))
            point = new(time, null);
        else
            return false;
        return true;
    }

    /// <summary>The part of a history that had happened; empty where nothing had, or the event is not in it.</summary>
    /// <param name="history">Events in their sequence.</param>
    public IEnumerable<OrderEvent> Of(IReadOnlyList<OrderEvent> history)
    {
        var (time, id) = (Time, EventId);
        if (id is null)
            return history.Where(e => e.At <= time);
        var last = history.FirstOrDefault(e => e.EventId == id)?.Sequence ?? 0;
        return history.Where(e => e.Sequence <= last);
    }

    private static bool HasOffset(string text) => text.EndsWith('Z') || text.LastIndexOfAny(['+', '-']) > text.IndexOf('T', StringComparison.Ordinal);
}
