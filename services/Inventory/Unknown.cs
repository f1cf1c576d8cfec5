using Microsoft.AspNetCore.Http.HttpResults;
using Shop.ServiceDefaults;

namespace Shop.Inventory;

/// <summary>404, which names what there is not.</summary>
internal static class Unknown
{
    /// <summary>There is no such product.</summary>
    public static ProblemHttpResult Product(string sku) => Of("product", sku);

    /// <summary>There is no such sensor.</summary>
    public static ProblemHttpResult Sensor(string sensor) => Of("sensor", sensor);

    // what looks like a card's number is repeated in no error
    private static ProblemHttpResult Of(string what, string name) =>
        TypedResults.Problem(CardNumbers.IsIn(name) ? $"There is no such {what}." : $"There is no {what} {name}.", statusCode: StatusCodes.Status404NotFound);
}
