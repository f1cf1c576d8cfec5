using Shop.Contracts;
using Shop.Orders.CopyingCatalog;
using Shop.ServiceDefaults;

namespace Shop.Orders.SubmittingOrder;

/// <summary>Decides what an order costs.</summary>
public static class OrderPricing
{
    /// <summary>Prices the lines; the prices stay with the order, whatever the catalogue says later.</summary>
    /// <param name="lines">Lines that follow <see cref="SubmitOrderRules"/>.</param>
    /// <param name="products">The products of the lines, by sku; an unknown one is absent.</param>
    /// <param name="errors">Takes each line that has no price, or one in another currency than the first.</param>
    /// <returns>The priced lines and their total; meaningful only where no error was found.</returns>
    public static (IReadOnlyList<OrderLine> Lines, Money Total) Price(IReadOnlyList<SubmitLine?> lines, IReadOnlyDictionary<string, Product> products,
        ValidationErrors errors)
    {
        var priced = new List<OrderLine>(lines.Count);
        var (total, currency) = (0.00m, "");
        for (var i = 0; i < lines.Count; i++)
        {
            var (sku, quantity) = lines[i]!;
            if (!products.TryGetValue(sku, out var product))
            {
                errors.Add($"lines[{i}].sku", "Is not in the catalogue.");
                continue;
            }
            if (priced.Count == 0)
                currency = product.Currency;
            else if (product.Currency != currency)
                errors.Add($"lines[{i}].sku", $"Is sold in {product.Currency}, but the lines before it in {currency}: an order has one currency.");
            priced.Add(new(sku, quantity, new(product.Price, product.Currency)));
            total += quantity * product.Price;
        }
        return (priced, new(total, currency));
    }
}
