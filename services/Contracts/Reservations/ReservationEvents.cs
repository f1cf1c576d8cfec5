namespace Shop.Contracts;

/// <summary>Pieces of one product that are reserved, released or dispatched for an order.</summary>
public sealed record ReservedLine(string Sku, int Quantity);

/// <summary>A line of an order that stock could not cover.</summary>
/// <param name="Sku">The product.</param>
/// <param name="Requested">Pieces asked for.</param>
/// <param name="Available">Pieces that were available.</param>
public sealed record Shortage(string Sku, int Requested, int Available);

/// <summary>All of the order's lines are reserved.</summary>
public sealed record StockReserved(Guid OrderId, IReadOnlyList<ReservedLine> Lines);

/// <summary>Some line could not be reserved, so nothing was.</summary>
public sealed record StockRejected(Guid OrderId, IReadOnlyList<Shortage> Shortages);

/// <summary>The order's reservation was given back.</summary>
public sealed record StockReleased(Guid OrderId, IReadOnlyList<ReservedLine> Lines);

/// <summary>The order's reserved pieces have left the warehouse.</summary>
public sealed record StockDispatched(Guid OrderId, IReadOnlyList<ReservedLine> Lines);
