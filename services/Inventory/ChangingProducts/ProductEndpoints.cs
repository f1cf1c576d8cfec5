using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Inventory.Stock;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Inventory.ChangingProducts;

/// <summary>A product as an operator describes it.</summary>
internal sealed record ProductRequest(string Name, string Description, Money Price);

/// <summary>A product as it is kept.</summary>
internal sealed record ProductAnswer(string Sku, string Name, string Description, Money Price);

/// <summary><c>PUT /api/ops/products/{sku}</c>: an operator creates or changes a product.</summary>
internal static partial class ProductEndpoints
{
    private const int MaxNameLength = 100;
    private const int MaxDescriptionLength = 2000;
    private const decimal MaxPrice = 1_000_000m;

    /// <summary>Orders add up their lines, so the shop has one currency.</summary>
    private const string Currency = "EUR";

    public static void MapChangingProducts(this IEndpointRouteBuilder app) =>
        app.MapPut("/api/ops/products/{sku}", PutAsync).RequireAuthorization(Policies.Operator);

    private static async Task<Results<Ok<ProductAnswer>, Created<ProductAnswer>, ValidationProblem>> PutAsync(
        string sku, ProductRequest request, InventoryDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        var errors = Validate(sku, request);
        if (errors.Any)
            return errors.ToProblem();

        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // a row that does not exist yet cannot be locked, so two that create the same product wait for each other here
        await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock(hashtextextended({sku}, 0))", cancellationToken);
        var product = await db.Products.SingleOrDefaultAsync(p => p.Sku == sku, cancellationToken);
        var isNew = product is null;
        if (product is null)
        {
            product = new(sku, request.Name, request.Description, request.Price, time.GetUtcNow());
            db.Products.Add(product);
            db.Stock.Add(new StockItem(sku, onHand: 0));
        }
        else
        {
            product.Change(request.Name, request.Description, request.Price, time.GetUtcNow());
        }
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);

        var answer = new ProductAnswer(product.Sku, product.Name, product.Description, product.Price);
        return isNew ? TypedResults.Created($"/api/catalog/{sku}", answer) : TypedResults.Ok(answer);
    }

    private static ValidationErrors Validate(string sku, ProductRequest request)
    {
        var errors = new ValidationErrors();
        if (!SkuPattern().IsMatch(sku))
            errors.Add("sku", "Must be 1 to 64 of a-z, 0-9 and -.");
        if (string.IsNullOrWhiteSpace(request.Name) || request.Name.Length > MaxNameLength)
            errors.Add("name", $"Must be 1 to {MaxNameLength} characters.");
        if (request.Description.Length > MaxDescriptionLength)
            errors.Add("description", $"Must be at most {MaxDescriptionLength} characters.");
        if (request.Price.Amount is <= 0 or > MaxPrice || decimal.Round(request.Price.Amount, 2) != request.Price.Amount)
            errors.Add("price.amount", $"Must be 0.01 to {MaxPrice:0}, with at most two decimals.");
        if (request.Price.Currency != Currency)
            errors.Add("price.currency", $"Must be {Currency}.");
        return errors;
    }

    [GeneratedRegex(@"\A[a-z0-9-]{1,64}\z")]
    private static partial Regex SkuPattern();
}
