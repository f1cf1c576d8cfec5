using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;
using Shop.Contracts;
using Shop.Messaging.Consuming;
using Shop.Messaging.Schema;

namespace Shop.Activity.StoringEvents;

/// <summary>Keeps every event of every topic, and whose each order is: one round trip a batch, on the batch's own transaction.</summary>
internal sealed class FeedHandler(ActivityDb db) : IRecordBatchHandler
{
    /// <inheritdoc/>
    public async Task HandleAsync(IReadOnlyList<ConsumedRecord> records, CancellationToken cancellationToken)
    {
        var events = records.Select(StoredEvent.From).ToArray();
        await using var batch = new NpgsqlBatch((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction?)db.Database.CurrentTransaction?.GetDbTransaction());
        batch.BatchCommands.Add(InsertEvents(events));
        var orders = events.Select(OrderIn).OfType<OrderSubmitted>().ToArray();
        if (orders.Length > 0)
        {
            batch.BatchCommands.Add(InsertOwners(orders));
            batch.BatchCommands.Add(InsertSkus([.. orders.SelectMany(SkusOf)]));
        }
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The order that <paramref name="stored"/> submits, if it does; an event that cannot be read tells nothing.</summary>
    internal static OrderSubmitted? OrderIn(StoredEvent stored)
    {
        if (stored.Topic != Topics.Orders.Name || stored.Malformed || stored.Data is null
            || !Topics.Orders.TryGetEvent(stored.Type, out var type) || type.ClrType != typeof(OrderSubmitted))
            return null;
        try
        {
            return JsonSerializer.Deserialize(stored.Data, ContractsJson.Default.OrderSubmitted) is { ShopperId: { } shopper } order
                && order.OrderId.ToString() == stored.Key && !shopper.Contains('\0', StringComparison.Ordinal)
                ? order
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or NotSupportedException)
        {
            return null;
        }
    }

    private static NpgsqlBatchCommand InsertEvents(StoredEvent[] events) => new("""
        INSERT INTO events (event_id, type, topic, partition, record_offset, key, source, subject, at, causation_id, trace_parent, data, malformed)
        SELECT event_id, type, topic, partition, record_offset, key, source, subject, at, causation_id, trace_parent, data, malformed
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) WITH ORDINALITY
          AS row(event_id, type, topic, partition, record_offset, key, source, subject, at, causation_id, trace_parent, data, malformed, ordinal)
        ORDER BY ordinal
        """)
    {
        Parameters =
        {
            SqlParameter.Column(events, NpgsqlDbType.Uuid, e => e.EventId),
            SqlParameter.Column(events, NpgsqlDbType.Text, e => e.Type),
            SqlParameter.Column(events, NpgsqlDbType.Text, e => e.Topic),
            SqlParameter.Column(events, NpgsqlDbType.Integer, e => e.Partition),
            SqlParameter.Column(events, NpgsqlDbType.Bigint, e => e.Offset),
            SqlParameter.Column(events, NpgsqlDbType.Text, e => e.Key),
            SqlParameter.Column(events, NpgsqlDbType.Text, e => e.Source),
            SqlParameter.Column(events, NpgsqlDbType.Text, e => e.Subject),
            SqlParameter.Column(events, NpgsqlDbType.TimestampTz, e => e.At),
            SqlParameter.Column(events, NpgsqlDbType.Uuid, e => e.CausationId),
            SqlParameter.Column(events, NpgsqlDbType.Text, e => e.TraceParent),
            SqlParameter.Column(events, NpgsqlDbType.Json, e => e.Data),
            SqlParameter.Column(events, NpgsqlDbType.Boolean, e => e.Malformed),
        },
    };

    /// <summary>The products of an order, as far as they can be looked for.</summary>
    internal static IEnumerable<OrderedSku> SkusOf(OrderSubmitted order) => (order.Lines ?? []).OfType<OrderLine>().Select(line => line.Sku)
        .Where(sku => sku is { Length: <= StoredEvent.LongestSearchedKey } && !sku.Contains('\0', StringComparison.Ordinal)).Distinct().Select(sku => new OrderedSku(sku, order.OrderId));

    /// <summary>Adds products of orders to their table, or to its shadow.</summary>
    internal static NpgsqlBatchCommand InsertSkus(OrderedSku[] ordered, string table = "ordered_skus") => new($"""
        INSERT INTO {table} (sku, order_id)
        SELECT sku, order_id FROM unnest($1, $2) AS row(sku, order_id) ORDER BY order_id, sku
        ON CONFLICT DO NOTHING
        """)
    {
        Parameters = { SqlParameter.Column(ordered, NpgsqlDbType.Text, o => o.Sku), SqlParameter.Column(ordered, NpgsqlDbType.Uuid, o => o.OrderId) },
    };

    /// <summary>Adds owners of orders to their table, or to its shadow.</summary>
    internal static NpgsqlBatchCommand InsertOwners(OrderSubmitted[] owners, string table = "orders") => new($"""
        INSERT INTO {table} (order_id, shopper_id)
        SELECT order_id, shopper_id FROM unnest($1, $2) AS row(order_id, shopper_id) ORDER BY order_id
        ON CONFLICT DO NOTHING
        """)
    {
        Parameters = { SqlParameter.Column(owners, NpgsqlDbType.Uuid, o => o.OrderId), SqlParameter.Column(owners, NpgsqlDbType.Text, o => o.ShopperId) },
    };
}
