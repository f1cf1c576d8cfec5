namespace Shop.Activity.StoringEvents;

/// <summary>Whose order it is, as the first OrderSubmitted said.</summary>
internal sealed record OrderOwner(Guid OrderId, string ShopperId);

/// <summary>An order in which a product was ordered.</summary>
internal sealed record OrderedSku(string Sku, Guid OrderId);
