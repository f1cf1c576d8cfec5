using Npgsql;
using NpgsqlTypes;
using Shop.Messaging.Schema;

namespace Shop.Inventory.Stock;

/// <summary>The entries that a unit of work adds to the ledger; they are written with the stock, in one statement.</summary>
internal sealed class StockLedger
{
    /// <summary>By which the database knows sessions that write a movement with each level: with <c>on</c> they may, and all others are refused.</summary>
    public const string SessionSetting = "inventory.books_movements";

    private readonly List<StockMovement> _movements = [];
    private readonly Dictionary<string, StockChange> _changes = new(StringComparer.Ordinal);

    /// <summary>Whether there is something to write.</summary>
    public bool HasMovements => _movements.Count > 0;

    /// <summary>Adds an entry.</summary>
    public void Add(StockMovement movement)
    {
        _movements.Add(movement);
        var before = ChangeOf(movement.Sku);
        _changes[movement.Sku] = new(movement.Sku, before.OnHand + movement.OnHand, before.Reserved + movement.Reserved, before.Dispatched + movement.Dispatched);
    }

    /// <summary>By how much the new entries change a product's numbers.</summary>
    public StockChange ChangeOf(string sku) => _changes.GetValueOrDefault(sku, new(sku, 0, 0, 0));

    /// <summary>Writes the entries in their order.</summary>
    public async Task WriteAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("""
            INSERT INTO stock_movements (sku, on_hand, reserved, dispatched, cause, reference, reason, moved_at)
            SELECT sku, on_hand, reserved, dispatched, cause, reference, reason, moved_at
            FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) WITH ORDINALITY
              AS movement(sku, on_hand, reserved, dispatched, cause, reference, reason, moved_at, position)
            ORDER BY position
            """, connection, transaction);
        Add(NpgsqlDbType.Text, movement => movement.Sku);
        Add(NpgsqlDbType.Integer, movement => movement.OnHand);
        Add(NpgsqlDbType.Integer, movement => movement.Reserved);
        Add(NpgsqlDbType.Integer, movement => movement.Dispatched);
        Add(NpgsqlDbType.Text, movement => NameOf(movement.Cause));
        Add(NpgsqlDbType.Text, movement => movement.Reference);
        Add(NpgsqlDbType.Text, movement => movement.Reason);
        Add(NpgsqlDbType.TimestampTz, movement => movement.MovedAt);
        await command.PrepareAsync(cancellationToken);
        await command.ExecuteNonQueryAsync(cancellationToken);
        _movements.Clear();
        _changes.Clear();

        void Add<T>(NpgsqlDbType type, Func<StockMovement, T> column) => command.Parameters.Add(SqlParameter.Column(_movements, type, column));
    }

    /// <summary>The cause as the database and the API have it.</summary>
    public static string NameOf(MovementCause cause) => cause switch
    {
        MovementCause.Receipt => "receipt",
        MovementCause.Correction => "correction",
        MovementCause.Order => "order",
        _ => "expiry",
    };
}
