using Npgsql;
using Shop.Messaging.Schema;

namespace Shop.Inventory.WatchingSensors;

/// <summary>How many pieces the stock has said are on hand, lately: from the ledger, so that goods which an order has just taken are no theft.</summary>
internal sealed class StockLevels
{
    /// <summary>Movements of a product that are looked at. Where more happened in the time that counts, nothing is said about it.</summary>
    private const int MostMovements = 100;

    private readonly Dictionary<string, Level> _levels = new(StringComparer.Ordinal);

    /// <summary>Reads the levels of products as the transaction sees them.</summary>
    public static async Task<StockLevels> ReadAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, string[] skus, CancellationToken cancellationToken)
    {
        var levels = new StockLevels();
        if (skus.Length == 0)
            return levels;
        await using var command = new NpgsqlCommand($"""
            SELECT s.sku, s.on_hand, m.on_hand, m.moved_at FROM stock s
            LEFT JOIN LATERAL (SELECT id, on_hand, moved_at FROM stock_movements WHERE sku = s.sku ORDER BY id DESC LIMIT {MostMovements}) m ON true
            WHERE s.sku = ANY($1) ORDER BY s.sku, m.id DESC
            """, connection, transaction) { Parameters = { SqlParameter.Of(skus) } };
        await command.PrepareAsync(cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var sku = reader.GetString(0);
            if (!levels._levels.TryGetValue(sku, out var level))
                levels._levels[sku] = level = new(reader.GetInt32(1), []);
            if (!reader.IsDBNull(2))
                level.Movements.Add((reader.GetInt32(2), reader.GetFieldValue<DateTimeOffset>(3)));
        }
        return levels;
    }

    /// <summary>The fewest and the most pieces on hand from one moment to another; null where nothing can be said.</summary>
    public (int Fewest, int Most, int Now)? Within(string sku, DateTimeOffset from, DateTimeOffset to) =>
        _levels.TryGetValue(sku, out var level) ? Within(level.OnHand, level.Movements, MostMovements, from, to) : null;

    /// <inheritdoc cref="Within(string, DateTimeOffset, DateTimeOffset)"/>
    /// <param name="onHand">What is on hand now.</param>
    /// <param name="movements">What came or left, and when, newest first.</param>
    /// <param name="limit">The number of movements from which on there may be earlier ones that are not among them.</param>
    /// <param name="from">The first moment.</param>
    /// <param name="to">The last moment.</param>
    internal static (int Fewest, int Most, int Now)? Within(int onHand, IReadOnlyList<(int OnHand, DateTimeOffset At)> movements, int limit, DateTimeOffset from, DateTimeOffset to)
    {
        var (fewest, most, level) = (int.MaxValue, int.MinValue, onHand);
        foreach (var (change, at) in movements)
        {
            // the level since this movement, and until the one before it in the list
            if (at <= to)
                (fewest, most) = (Math.Min(fewest, level), Math.Max(most, level));
            level -= change;
            if (at < from)
                return (fewest, most, onHand);
        }
        return movements.Count >= limit ? null : (Math.Min(fewest, level), Math.Max(most, level), onHand);
    }

    private sealed record Level(int OnHand, List<(int OnHand, DateTimeOffset At)> Movements);
}
