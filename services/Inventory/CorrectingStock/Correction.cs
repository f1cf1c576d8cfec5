using Shop.Inventory.Stock;

namespace Shop.Inventory.CorrectingStock;

/// <summary>What a stock-taking counted, with the level right after it: <c>OnHand</c> is what was counted.</summary>
internal sealed record Correction(string OperatorId, string IdempotencyKey, string Sku, string Reason, int OnHand, int Reserved, int Dispatched, DateTimeOffset CorrectedAt)
    : IStockBooking;
