namespace Shop.Inventory.Stock;

/// <summary>A product's stock, as the API gives it; the fields are those of <see cref="StockItem"/>.</summary>
internal sealed record StockAnswer(string Sku, int OnHand, int Reserved, int Available, int Dispatched)
{
    public static StockAnswer Of(StockItem item) => new(item.Sku, item.OnHand, item.Reserved, item.Available, item.Dispatched);

    public static StockAnswer Of(IStockBooking booked) => new(booked.Sku, booked.OnHand, booked.Reserved, booked.OnHand - booked.Reserved, booked.Dispatched);
}
