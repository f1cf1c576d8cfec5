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

/// <summary>A shelf does not hold what the stock says: pieces are missing, or too many.</summary>
/// <param name="Sku">The product.</param>
/// <param name="Sensor">The sensor under the shelf.</param>
/// <param name="Expected">Pieces on hand.</param>
/// <param name="Seen">Pieces that weigh what was measured, rounded.</param>
/// <param name="WeightGrams">What was measured, the shelf included.</param>
/// <param name="At">When, by the sensor's clock.</param>
public sealed record StockDiscrepancyDetected(string Sku, string Sensor, int Expected, int Seen, double WeightGrams, DateTimeOffset At);
