using System.Text.Json;
using Shop.Contracts;
using Shop.Messaging.Consuming;
using Shop.Messaging.Events;

namespace Shop.Activity.CountingWindows;

/// <summary>
/// Counts a batch's events into windows: a pure function of the events and of the orders that were open before them. What it cannot read it
/// leaves out, as the feed has it.
/// </summary>
/// <param name="lateness">See <see cref="WindowOptions.Lateness"/>.</param>
/// <param name="known">Orders that were open before, among those that the batch may need.</param>
internal sealed class WindowCounting(TimeSpan lateness, IReadOnlyDictionary<Guid, OpenOrder> known)
{
    private const int LongestDimension = 100;

    private readonly Dictionary<(DateTimeOffset Minute, string Measure, string Dimension), decimal> _counts = [];
    private readonly Dictionary<Guid, OpenOrder> _opened = [];
    private readonly HashSet<Guid> _ended = [];

    /// <summary>What is to be added to each window.</summary>
    public IReadOnlyCollection<KeyValuePair<(DateTimeOffset Minute, string Measure, string Dimension), decimal>> Counts => _counts;

    /// <summary>Orders that are open now and were not before.</summary>
    public IReadOnlyCollection<OpenOrder> Opened => _opened.Values;

    /// <summary>Orders that were open before and are not any more.</summary>
    public IReadOnlyCollection<Guid> Ended => _ended;

    /// <summary>The order whose earlier submission has to be known to count this record; null where none has.</summary>
    public static Guid? NeedsOrder(ConsumedRecord record) =>
        record.Topic == Topics.Orders.Name && Kinds.Of(record.Event.Type) is { Measure: Measures.Confirmed } && Guid.TryParse(record.Key, out var order) ? order : null;

    /// <summary>Whether a record counts as anything.</summary>
    public static bool IsCounted(ConsumedRecord record) =>
        Kinds.Of(record.Event.Type) is { } kind && kind.Topic.Name == record.Topic && record.Body is not null;

    /// <summary>Counts the next record, if it counts.</summary>
    public void Count(ConsumedRecord record)
    {
        if (!IsCounted(record))
            return;
        var kind = Kinds.Of(record.Event.Type)!;
        var happened = record.Event.Time == DateTimeOffset.UnixEpoch ? record.Timestamp : record.Event.Time;
        // a redriven record does not tell when it was written
        var isLate = record.Timestamp != DateTimeOffset.UnixEpoch && (record.Timestamp - happened).Duration() > lateness;
        var minute = MinuteOf(isLate ? record.Timestamp : happened);
        if (isLate)
            Add(minute, Measures.Late, kind.ClrType.Name, 1);
        else if (kind.ClrType != typeof(CartChanged) || Read(record, ContractsJson.Default.CartChanged) is { Quantity: > 0 })
            Add(minute, kind.Measure, "", 1);
        FollowOrder(record, kind.Measure, isLate ? null : minute);
    }

    /// <summary>The begin of the minute that a moment is in.</summary>
    public static DateTimeOffset MinuteOf(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerMinute), TimeSpan.Zero);

    private void FollowOrder(ConsumedRecord record, string measure, DateTimeOffset? minute)
    {
        switch (measure)
        {
            case Measures.Submitted when Read(record, ContractsJson.Default.OrderSubmitted) is { Lines: not null, Total: { Currency: not null } total } order:
                if (!known.ContainsKey(order.OrderId))
                    _opened.TryAdd(order.OrderId, new(order.OrderId, total.Amount, Dimension(total.Currency), [.. order.Lines.Select(line => Dimension(line.Sku))], [.. order.Lines.Select(line => line.Quantity)]));
                break;
            case Measures.Confirmed when Guid.TryParse(record.Key, out var id):
                if (Take(id) is { } open && minute is { } at)
                {
                    Add(at, Measures.Revenue, open.Currency, open.Amount);
                    for (var i = 0; i < open.Skus.Length; i++)
                        Add(at, Measures.Sold, open.Skus[i], open.Quantities[i]);
                }
                break;
            case Measures.Cancelled when Guid.TryParse(record.Key, out var id):
                Take(id);
                break;
        }
    }

    /// <summary>Takes an order out of the open ones.</summary>
    private OpenOrder? Take(Guid id)
    {
        if (_opened.Remove(id, out var opened))
            return opened;
        return _ended.Add(id) ? known.GetValueOrDefault(id) : null;
    }

    /// <summary>As long as an index takes, whoever wrote it.</summary>
    private static string Dimension(string? text) => StorableText.Of(text ?? "", LongestDimension);

    private void Add(DateTimeOffset minute, string measure, string dimension, decimal value)
    {
        var key = (minute, measure, dimension);
        _counts[key] = _counts.GetValueOrDefault(key) + value;
    }

    private static T? Read<T>(ConsumedRecord record, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> json) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(record.Body, json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
