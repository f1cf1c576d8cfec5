namespace Shop.Orders.CopyingCatalog;

/// <summary>What Orders needs to know of a product: its price, copied from the topic <c>catalog</c>.</summary>
public sealed class Product
{
    /// <summary>The product.</summary>
    public required string Sku { get; init; }

    /// <summary>The price of one piece, in the major unit of <see cref="Currency"/>, with two decimals.</summary>
    public required decimal Price { get; init; }

    /// <summary>ISO 4217 code.</summary>
    public required string Currency { get; init; }
}
