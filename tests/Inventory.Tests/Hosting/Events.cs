using Shop.Contracts;

namespace Shop.Inventory.Tests.Hosting;

/// <summary>Events as Orders publishes them.</summary>
public static class Events
{
    public static OrderSubmitted Submitted(Guid orderId, params IEnumerable<(string Sku, int Quantity)> lines)
    {
        var price = new Money(1, "EUR");
        var orderLines = lines.Select(line => new OrderLine(line.Sku, line.Quantity, price)).ToList();
        return new(orderId, "ada", orderLines, price, new("Ada", "Street 1", "London", "N1", "GB"), DateTimeOffset.UnixEpoch);
    }
}
