namespace Shop.Contracts;

/// <summary>A visitor looked at a product.</summary>
/// <param name="VisitorId">The visitor, as the shop's own cookie names the browser; nobody's name.</param>
/// <param name="Sku">The product.</param>
public sealed record ProductViewed(Guid VisitorId, string Sku);

/// <summary>A visitor searched the catalogue.</summary>
/// <param name="VisitorId">The visitor.</param>
/// <param name="Search">What was looked for.</param>
public sealed record ProductSearched(Guid VisitorId, string Search);

/// <summary>A visitor put a product into the cart, or took it out.</summary>
/// <param name="VisitorId">The visitor.</param>
/// <param name="Sku">The product.</param>
/// <param name="Quantity">Pieces of it that are in the cart now; 0 where it was taken out.</param>
public sealed record CartChanged(Guid VisitorId, string Sku, int Quantity);

/// <summary>A visitor began to order what is in the cart.</summary>
/// <param name="VisitorId">The visitor.</param>
public sealed record CheckoutStarted(Guid VisitorId);
