namespace Shop.Inventory.Stock;

/// <summary>Why pieces moved.</summary>
internal enum MovementCause
{
    /// <summary>Goods arrived.</summary>
    Receipt,

    /// <summary>A stock-taking found another number than was known.</summary>
    Correction,

    /// <summary>An order's pieces were reserved, given back or sent.</summary>
    Order,

    /// <summary>A reservation was held for too long.</summary>
    Expiry,
}

/// <summary>By how much a change moves the numbers of a product.</summary>
/// <param name="Sku">The product.</param>
/// <param name="OnHand">Pieces that came into the warehouse, or left it.</param>
/// <param name="Reserved">Pieces held for orders, or no longer.</param>
/// <param name="Dispatched">Pieces sent.</param>
internal readonly record struct StockChange(string Sku, int OnHand, int Reserved, int Dispatched);

/// <summary>An entry of the ledger: once written it stays as it is. The sums of a product's entries are its levels.</summary>
/// <remarks>
/// It is written while the product's stock is locked, so within a product ids grow with the commits, and a reader that goes on after the
/// last id it has seen misses nothing.
/// </remarks>
/// <param name="Id">Its place in the ledger.</param>
/// <param name="Sku">The product.</param>
/// <param name="OnHand">Pieces that came into the warehouse, or left it.</param>
/// <param name="Reserved">Pieces held for orders, or no longer.</param>
/// <param name="Dispatched">Pieces sent.</param>
/// <param name="Cause">Why.</param>
/// <param name="Reference">The order's id, or the Idempotency-Key under which an operator booked it; null for what was there from the start.</param>
/// <param name="Reason">An operator's words, where there are some.</param>
/// <param name="MovedAt">When.</param>
internal sealed record StockMovement(long Id, string Sku, int OnHand, int Reserved, int Dispatched, MovementCause Cause, string? Reference, string? Reason, DateTimeOffset MovedAt)
{
    /// <summary>A new entry.</summary>
    public StockMovement(StockChange change, MovementCause cause, string? reference, string? reason, DateTimeOffset movedAt)
        : this(0, change.Sku, change.OnHand, change.Reserved, change.Dispatched, cause, reference, reason, movedAt)
    {
    }
}
