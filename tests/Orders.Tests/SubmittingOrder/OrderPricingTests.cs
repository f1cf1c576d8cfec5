using System.Text.Json;
using Shop.Contracts;
using Shop.Orders.CopyingCatalog;
using Shop.Orders.SubmittingOrder;
using Shop.ServiceDefaults;

namespace Shop.Orders.Tests.SubmittingOrder;

public sealed class OrderPricingTests
{
    private static readonly Dictionary<string, Product> Catalog = new[]
    {
        new Product { Sku = "mug-blue", Price = 9.50m, Currency = "EUR" },
        new Product { Sku = "pen", Price = 0.01m, Currency = "EUR" },
        new Product { Sku = "dear", Price = 9_999_999_999.99m, Currency = "EUR" },
        new Product { Sku = "bagel", Price = 2.00m, Currency = "USD" },
    }.ToDictionary(product => product.Sku);

    [Fact]
    public void Lines_are_priced_in_their_order_and_summed_exactly()
    {
        var (lines, total) = Price(out var errors, new("pen", 3), new("mug-blue", 2), new("dear", 1000));

        Assert.Empty(errors);
        Assert.Equal([new("pen", 3, new(0.01m, "EUR")), new("mug-blue", 2, new(9.50m, "EUR")), new("dear", 1000, new(9_999_999_999.99m, "EUR"))], lines);
        Assert.Equal(new(9_999_999_999_990.00m + 19.00m + 0.03m, "EUR"), total);
    }

    [Fact]
    public void Amounts_are_written_with_two_decimals() =>
        Assert.Equal("""{"amount":19.00,"currency":"EUR"}""", JsonSerializer.Serialize(Price(out _, new SubmitLine("mug-blue", 2)).Total, ContractsJson.Default.Money));

    [Fact]
    public void Every_unknown_sku_is_named()
    {
        Price(out var errors, new("nope", 1), new("pen", 1), new("PEN", 1));

        Assert.Equal(["lines[0].sku", "lines[2].sku"], errors);
    }

    [Fact]
    public void An_order_has_one_currency()
    {
        Price(out var errors, new("pen", 1), new("bagel", 1));

        Assert.Equal(["lines[1].sku"], errors);
    }

    private static (IReadOnlyList<OrderLine> Lines, Money Total) Price(out IEnumerable<string> errors, params SubmitLine[] lines)
    {
        var found = new ValidationErrors();
        var priced = OrderPricing.Price(lines, Catalog, found);
        errors = found.ToProblem().ProblemDetails.Errors.Keys;
        return priced;
    }
}
