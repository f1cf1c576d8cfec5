namespace Shop.Contracts;

/// <summary>A product is new or was changed; the newest of a sku is the product. A record without a body says that it is gone.</summary>
public sealed record ProductChanged(string Sku, string Name, string Description, Money Price);
