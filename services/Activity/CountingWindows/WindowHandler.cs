using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using Shop.Contracts;
using Shop.Messaging.Consuming;
using Shop.Messaging.Schema;

namespace Shop.Activity.CountingWindows;

/// <summary>
/// Counts events into their windows, on the batch's own transaction: with its offsets and the events' ids, so that each event counts once
/// whatever is delivered again, crashes or moves to another instance.
/// </summary>
internal sealed class WindowHandler(ActivityDb db, CountedEvents counted, IOptions<WindowOptions> options) : IRecordBatchHandler
{
    /// <inheritdoc/>
    public async Task HandleAsync(IReadOnlyList<ConsumedRecord> records, CancellationToken cancellationToken)
    {
        var countable = records.Where(WindowCounting.IsCounted).ToList();
        if (countable.Count == 0)
            return;
        await using var batch = Batch();
        await using var reads = Batch();
        var fresh = await counted.ClaimAsync(countable, reads, batch, cancellationToken);
        var counting = new WindowCounting(options.Value.Lateness, await LoadOrdersAsync(fresh, cancellationToken));
        foreach (var record in fresh)
            counting.Count(record);
        if (counting.Counts.Count > 0)
            batch.BatchCommands.Add(AddCounts([.. counting.Counts], (records.FirstOrDefault(record => record.Topic == Topics.Orders.Name) ?? records[0]).Partition));
        if (counting.Opened.Count > 0)
            batch.BatchCommands.Add(InsertOrders([.. counting.Opened]));
        if (counting.Ended.Count > 0)
            batch.BatchCommands.Add(new("DELETE FROM open_orders WHERE order_id = ANY($1)") { Parameters = { SqlParameter.Of(counting.Ended.ToArray()) } });
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<Dictionary<Guid, OpenOrder>> LoadOrdersAsync(IReadOnlyList<ConsumedRecord> records, CancellationToken cancellationToken)
    {
        var needed = records.Select(WindowCounting.NeedsOrder).OfType<Guid>().Distinct().ToArray();
        var known = new Dictionary<Guid, OpenOrder>(needed.Length);
        if (needed.Length == 0)
            return known;
        await using var batch = Batch();
        batch.BatchCommands.Add(new("SELECT order_id, amount, currency, skus, quantities FROM open_orders WHERE order_id = ANY($1)") { Parameters = { SqlParameter.Of(needed) } });
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            known.Add(reader.GetGuid(0), new(reader.GetGuid(0), reader.GetDecimal(1), reader.GetString(2), reader.GetFieldValue<string[]>(3), reader.GetFieldValue<int[]>(4)));
        return known;
    }

    private static NpgsqlBatchCommand AddCounts(KeyValuePair<(DateTimeOffset Minute, string Measure, string Dimension), decimal>[] counts, int lane) => new("""
        INSERT INTO window_counts (minute, measure, dimension, lane, value)
        SELECT minute, measure, dimension, $5, value FROM unnest($1, $2, $3, $4) AS added(minute, measure, dimension, value) ORDER BY minute, measure, dimension
        ON CONFLICT (minute, measure, dimension, lane) DO UPDATE SET value = window_counts.value + excluded.value
        """)
    {
        Parameters =
        {
            SqlParameter.Column(counts, NpgsqlDbType.TimestampTz, c => c.Key.Minute),
            SqlParameter.Column(counts, NpgsqlDbType.Text, c => c.Key.Measure),
            SqlParameter.Column(counts, NpgsqlDbType.Text, c => c.Key.Dimension),
            SqlParameter.Column(counts, NpgsqlDbType.Numeric, c => c.Value),
            SqlParameter.Of(lane),
        },
    };

    /// <summary>Lists of a row as JSON: <c>unnest</c> would flatten an array of arrays.</summary>
    private static NpgsqlBatchCommand InsertOrders(OpenOrder[] orders) => new("""
        INSERT INTO open_orders (order_id, amount, currency, skus, quantities)
        SELECT order_id, amount, currency,
          ARRAY(SELECT jsonb_array_elements_text(skus)), ARRAY(SELECT jsonb_array_elements_text(quantities)::integer)
        FROM unnest($1, $2, $3, $4, $5) AS opened(order_id, amount, currency, skus, quantities) ORDER BY order_id
        ON CONFLICT DO NOTHING
        """)
    {
        Parameters =
        {
            SqlParameter.Column(orders, NpgsqlDbType.Uuid, o => o.OrderId),
            SqlParameter.Column(orders, NpgsqlDbType.Numeric, o => o.Amount),
            SqlParameter.Column(orders, NpgsqlDbType.Text, o => o.Currency),
            SqlParameter.Column(orders, NpgsqlDbType.Jsonb, o => System.Text.Json.JsonSerializer.Serialize(o.Skus, ActivityJson.Default.StringArray)),
            SqlParameter.Column(orders, NpgsqlDbType.Jsonb, o => System.Text.Json.JsonSerializer.Serialize(o.Quantities, ActivityJson.Default.Int32Array)),
        },
    };

    private NpgsqlBatch Batch() => new((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction?)db.Database.CurrentTransaction?.GetDbTransaction());
}
