using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Shop.Contracts;
using Shop.Messaging.Consuming;

namespace Shop.Orders.RecordingHistory;

/// <summary>
/// Writes every order's own history, apart from the state machine that decides about it: two round trips a batch, on the batch's transaction.
/// </summary>
public sealed class HistoryRecorder(OrdersDb db, TimeProvider time) : IRecordBatchHandler
{
    /// <inheritdoc/>
    /// <remarks>Without an effect for events that are recorded already.</remarks>
    /// <exception cref="JsonException">A record is not what its type says.</exception>
    public async Task HandleAsync(IReadOnlyList<ConsumedRecord> records, CancellationToken cancellationToken)
    {
        var tables = new HistoryTables((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction?)db.Database.CurrentTransaction?.GetDbTransaction());
        // a lane has several; in one order, in which everybody locks them
        foreach (var partition in records.Select(EventIn).OfType<OrderEvent>().GroupBy(e => e.Partition).OrderBy(partition => partition.Key))
            await RecordAsync(tables, partition.Key, [.. partition], cancellationToken);
    }

    private async Task RecordAsync(HistoryTables tables, int partition, List<OrderEvent> arrived, CancellationToken cancellationToken)
    {
        var orders = arrived.ToLookup(e => e.OrderId);
        var known = await tables.LockAndReadAsync(partition, [.. orders.Select(order => order.Key)], cancellationToken);
        var waitingBefore = known.Waiting.ToLookup(waiting => waiting.Event.OrderId, waiting => waiting.Event);
        var (placed, waiting) = (new List<OrderEvent>(arrived.Count), new List<OrderEvent>());
        foreach (var order in orders)
        {
            var history = known.Placed[order.Key].ToList();
            var next = EventOrder.Place(history, waitingBefore[order.Key].Concat(order), _ => false);
            placed.AddRange(next.Numbered(history.Count));
            var settled = history.Select(e => e.Id).Concat(next.Select(e => e.EventId)).ToHashSet();
            waiting.AddRange(order.Where(e => !settled.Contains(e.EventId)));
        }
        await tables.WriteAsync(placed, waiting, time.GetUtcNow(), cancellationToken);
    }

    /// <summary>The event of an order that a record carries; null where it carries something else, which others may publish beside the shop's.</summary>
    private static OrderEvent? EventIn(ConsumedRecord record)
    {
        if (record.Body is null || !Guid.TryParse(record.Key, out var orderId) || !OrderTopics.TryGetEvent(record.Event.Type, out var type))
            return null;
        // read once here, so that whoever reads the history can
        _ = JsonSerializer.Deserialize(record.Body, type.Json) ?? throw new JsonException("The event's data is null");
        return new()
        {
            OrderId = orderId,
            EventId = record.Event.Id,
            Type = type.Name,
            Topic = record.Topic,
            Partition = record.Partition,
            Offset = record.Offset,
            At = record.Event.Time == DateTimeOffset.UnixEpoch ? record.Timestamp : record.Event.Time,
            CausationId = record.Event.CausationId,
            Data = Encoding.UTF8.GetString(EventPrivacy.ToKeep(record.Body)),
        };
    }
}
