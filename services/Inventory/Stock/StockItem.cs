using Shop.Contracts;

namespace Shop.Inventory.Stock;

/// <summary>The pieces of one product. Its row is locked before it is changed.</summary>
internal sealed class StockItem
{
    /// <summary>Fewer available pieces than this is low.</summary>
    public const int LowBelow = 10;

    /// <summary>A product with so many pieces on hand, none of them reserved.</summary>
    public StockItem(string sku, int onHand)
    {
        Sku = sku;
        OnHand = onHand;
    }

    /// <summary>The product.</summary>
    public string Sku { get; private set; }

    /// <summary>Pieces in the warehouse, reserved ones included.</summary>
    public int OnHand { get; private set; }

    /// <summary>Pieces held for orders.</summary>
    public int Reserved { get; private set; }

    /// <summary>Pieces that ever left the warehouse.</summary>
    public int Dispatched { get; private set; }

    /// <summary>Pieces that can be ordered.</summary>
    public int Available => OnHand - Reserved;

    /// <summary>How many pieces can still be received: all that were ever received must fit the events' integers.</summary>
    public int ReceivableQuantity => int.MaxValue - OnHand - Dispatched;

    /// <summary>Holds available pieces for an order.</summary>
    public void Reserve(int quantity) => Reserved += Within(quantity, Available);

    /// <summary>Lets reserved pieces go.</summary>
    public void Release(int quantity) => Reserved -= Within(quantity, Reserved);

    /// <summary>Reserved pieces leave the warehouse.</summary>
    public void Dispatch(int quantity)
    {
        Reserved -= Within(quantity, Reserved);
        OnHand -= quantity;
        Dispatched += quantity;
    }

    /// <summary>New pieces arrive.</summary>
    public void Receive(int quantity) => OnHand += Within(quantity, ReceivableQuantity);

    /// <summary>What there is to tell about a change.</summary>
    /// <param name="availableBefore">Pieces available before; null where the product is new.</param>
    public IEnumerable<object> EventsSince(int? availableBefore)
    {
        yield return new StockLevelChanged(Sku, OnHand, Reserved, Available, Dispatched);
        if (availableBefore >= LowBelow && Available < LowBelow)
            yield return new StockRanLow(Sku, Available);
    }

    /// <exception cref="InvalidOperationException">The caller decided on something else than this state.</exception>
    private int Within(int quantity, int limit) => quantity >= 1 && quantity <= limit
        ? quantity
        : throw new InvalidOperationException($"{Sku}: {quantity} pieces are not within 1 and {limit}");
}
