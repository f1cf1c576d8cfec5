using Shop.Inventory.Stock;

namespace Shop.Inventory.ReceivingGoods;

/// <summary>Goods that were booked, with the level right after them.</summary>
internal sealed record Receipt(string OperatorId, string IdempotencyKey, string Sku, int Quantity, int OnHand, int Reserved, int Dispatched, DateTimeOffset ReceivedAt)
    : IStockBooking;
