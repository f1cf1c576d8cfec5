using Shop.Orders.SubmittingOrder;
using Shop.ServiceDefaults;

namespace Shop.Orders.Tests.SubmittingOrder;

public sealed class SubmitOrderRulesTests
{
    private static readonly SubmitOrder Good = new([new("mug-blue", 2), new("pen", 1000)], new("tok_visa"), SampleOrders.ShipTo);

    public static TheoryData<string, SubmitOrder> BadBodies { get; } = new()
    {
        { "lines", Good with { Lines = [] } },
        { "lines", Good with { Lines = [.. Enumerable.Range(0, 51).Select(i => new SubmitLine($"sku-{i}", 1))] } },
        { "lines[1]", Good with { Lines = [new("mug-blue", 1), null] } },
        { "lines[0].sku", Good with { Lines = [new("", 1)] } },
        { "lines[0].sku", Good with { Lines = [new(new string('x', 65), 1)] } },
        { "lines[2].sku", Good with { Lines = [new("mug-blue", 1), new("pen", 1), new("mug-blue", 1)] } },
        { "lines[0].quantity", Good with { Lines = [new("mug-blue", 0)] } },
        { "lines[0].quantity", Good with { Lines = [new("mug-blue", -1)] } },
        { "lines[0].quantity", Good with { Lines = [new("mug-blue", 1001)] } },
        { "lines[1].quantity", Good with { Lines = [new("mug-blue", 1), new("pen", 1_000_000_000)] } },
        { "payment.token", Good with { Payment = new("") } },
        { "payment.token", Good with { Payment = new("4242424242424242") } },
        { "payment.token", Good with { Payment = new("tok_visa\n") } },
        { "payment.token", Good with { Payment = new("tok_" + new string('x', 61)) } },
        { "shipTo.name", Good with { ShipTo = SampleOrders.ShipTo with { Name = " " } } },
        { "shipTo.street", Good with { ShipTo = SampleOrders.ShipTo with { Street = new string('x', 201) } } },
        { "shipTo.city", Good with { ShipTo = SampleOrders.ShipTo with { City = "Ber\nlin" } } },
        { "shipTo.postalCode", Good with { ShipTo = SampleOrders.ShipTo with { PostalCode = new string('1', 21) } } },
        { "shipTo.country", Good with { ShipTo = SampleOrders.ShipTo with { Country = "XX" } } },
        { "shipTo.country", Good with { ShipTo = SampleOrders.ShipTo with { Country = "de" } } },
        { "shipTo.country", Good with { ShipTo = SampleOrders.ShipTo with { Country = "DEU" } } },
    };

    [Fact]
    public void A_good_submission_passes() => Assert.Empty(ErrorsOf(new string('~', 128), Good));

    [Theory, MemberData(nameof(BadBodies))]
    public void A_bad_field_is_named_and_no_other(string field, SubmitOrder order) => Assert.Equal([field], ErrorsOf("key", order));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("with space")]
    [InlineData("ключ")]
    [InlineData("tab\t")]
    public void A_bad_key_is_named(string? key) => Assert.Equal(["Idempotency-Key"], ErrorsOf(key, Good));

    [Fact]
    public void A_key_of_129_characters_is_too_long() => Assert.Equal(["Idempotency-Key"], ErrorsOf(new string('k', 129), Good));

    [Fact]
    public void Everything_that_is_wrong_is_named_at_once() =>
        Assert.Equal(["Idempotency-Key", "lines[0].quantity", "payment.token", "shipTo.city"],
            ErrorsOf(null, new([new("mug-blue", 0)], new("none"), SampleOrders.ShipTo with { City = "" })).Order(StringComparer.Ordinal));

    [Fact]
    public void There_are_249_countries() =>
        Assert.Equal(249, Enumerable.Range(0, 26 * 26).Count(i => Countries.Contains($"{(char)('A' + i / 26)}{(char)('A' + i % 26)}")));

    private static IEnumerable<string> ErrorsOf(string? key, SubmitOrder order)
    {
        var errors = new ValidationErrors();
        SubmitOrderRules.Check([key], order, errors);
        return errors.ToProblem().ProblemDetails.Errors.Keys;
    }
}
