using Shop.Contracts;

namespace Shop.Inventory.Stock;

/// <summary>The pieces of one product. Its row is locked before it is changed.</summary>
internal sealed class StockItem
{
    /// <summary>Fewer available pieces than this is low.</summary>
    public const int LowBelow = 10;

    /// <summary>A product with so many pieces on hand, none of them reserved.</summary>
    public StockItem(string sku, int onHand = 0)
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

    /// <summary>The most pieces that a stock-taking can find: all that ever were here must fit the events' integers.</summary>
    public int CountableQuantity => int.MaxValue - Dispatched;

    /// <summary>Holds available pieces for an order.</summary>
    public StockChange Reserve(int quantity) => Move(0, Within(quantity, Available), 0);

    /// <summary>Lets reserved pieces go.</summary>
    public StockChange Release(int quantity) => Move(0, -Within(quantity, Reserved), 0);

    /// <summary>Reserved pieces leave the warehouse.</summary>
    public StockChange Dispatch(int quantity) => Move(-Within(quantity, Reserved), -quantity, quantity);

    /// <summary>New pieces arrive.</summary>
    public StockChange Receive(int quantity) => Move(Within(quantity, ReceivableQuantity), 0, 0);

    /// <summary>So many pieces were counted in the warehouse, reserved ones included.</summary>
    /// <exception cref="InvalidOperationException">They are fewer than are reserved, or more than can be counted.</exception>
    public StockChange Correct(int counted) => counted >= Reserved && counted <= CountableQuantity
        ? Move(counted - OnHand, 0, 0)
        : throw new InvalidOperationException($"{Sku}: {counted} pieces are not within {Reserved} and {CountableQuantity}");

    /// <summary>What there is to tell about a change.</summary>
    /// <param name="availableBefore">Pieces available before; null where the product is new.</param>
    public IEnumerable<object> EventsSince(int? availableBefore)
    {
        yield return new StockLevelChanged(Sku, OnHand, Reserved, Available, Dispatched);
        if (availableBefore >= LowBelow && Available < LowBelow)
            yield return new StockRanLow(Sku, Available);
    }

    private StockChange Move(int onHand, int reserved, int dispatched)
    {
        OnHand += onHand;
        Reserved += reserved;
        Dispatched += dispatched;
        return new(Sku, onHand, reserved, dispatched);
    }

    /// <exception cref="InvalidOperationException">The caller decided on something else than this state.</exception>
    private int Within(int quantity, int limit) => quantity >= 1 && quantity <= limit
        ? quantity
        : throw new InvalidOperationException($"{Sku}: {quantity} pieces are not within 1 and {limit}");
}
