namespace Shop.Contracts;

/// <summary>A product's stock changed.</summary>
/// <param name="Sku">The product.</param>
/// <param name="OnHand">Pieces in the warehouse, reserved ones included.</param>
/// <param name="Reserved">Pieces held for orders.</param>
/// <param name="Available">Pieces that can be ordered.</param>
/// <param name="Dispatched">Pieces that ever left the warehouse.</param>
public sealed record StockLevelChanged(string Sku, int OnHand, int Reserved, int Available, int Dispatched);

/// <summary>A product is about to run out.</summary>
public sealed record StockRanLow(string Sku, int Available);
