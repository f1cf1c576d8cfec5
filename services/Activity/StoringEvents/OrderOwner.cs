namespace Shop.Activity.StoringEvents;

/// <summary>Whose order it is, as the first OrderSubmitted said.</summary>
internal sealed record OrderOwner(Guid OrderId, string ShopperId);
