using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;
using Shop.Contracts;
using Shop.Inventory.Products;
using Shop.Inventory.Stock;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Inventory.ChangingProducts;

/// <summary>A product as an operator describes it.</summary>
internal sealed record ProductRequest(string Name, string Description, Money Price);

/// <summary>A product as it is kept.</summary>
internal sealed record ProductAnswer(string Sku, string Name, string Description, Money Price);

/// <summary><c>GET</c> and <c>PUT /api/ops/products/{sku}</c>: an operator reads, creates or changes a product.</summary>
internal static partial class ProductEndpoints
{
    private const int MaxDescriptionLength = 2000;

    public static void MapChangingProducts(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/ops/products/{sku}", GetAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("A product as it is kept, with its version as ETag.")
            .WithETag().ProducesProblem(StatusCodes.Status404NotFound);
        app.MapPut("/api/ops/products/{sku}", PutAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("Creates or changes a product; with If-Match only the version that was read.")
            .WithRequestExample("""{"name":"Blue mug","description":"Stoneware, 350 ml.","price":{"amount":9.90,"currency":"EUR"}}""")
            .WithIfMatch().WithETag().WithLocation("The product in the catalogue.")
            .ProducesProblem(StatusCodes.Status412PreconditionFailed);
    }

    private static async Task<Results<Ok<ProductAnswer>, ProblemHttpResult>> GetAsync(
        string sku, InventoryDb db, HttpResponse response, CancellationToken cancellationToken)
    {
        if (await db.Products.AsNoTracking().SingleOrDefaultAsync(p => p.Sku == sku, cancellationToken) is not { } product)
            return Unknown.Product(sku);
        response.GetTypedHeaders().ETag = VersionOf(product);
        return TypedResults.Ok(AnswerOf(product));
    }

    private static async Task<Results<Ok<ProductAnswer>, Created<ProductAnswer>, ValidationProblem, ProblemHttpResult>> PutAsync(
        string sku, ProductRequest request, [FromHeader(Name = IfMatch.Header)] string? ifMatch, InventoryDb db, TimeProvider time, HttpResponse response,
        CancellationToken cancellationToken)
    {
        var errors = Validate(sku, request);
        var wanted = IfMatch.Parse(ifMatch, errors);
        if (errors.Any)
            return errors.ToProblem();

        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // a row that does not exist yet cannot be locked, so two that create the same product wait for each other here
        await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock(hashtextextended({sku}, 0))", cancellationToken);
        var product = await db.Products.SingleOrDefaultAsync(p => p.Sku == sku, cancellationToken);
        if (!wanted.Includes(product is null ? null : VersionOf(product)))
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status412PreconditionFailed,
                detail: product is null ? "There is no such product." : "The product was changed by somebody else: read it again.");
        }
        var isNew = product is null;
        if (product is null)
        {
            product = new(sku, request.Name, request.Description, request.Price, time.GetUtcNow());
            db.Products.Add(product);
            db.Stock.Add(new StockItem(sku));
        }
        else
        {
            product.Change(request.Name, request.Description, request.Price, time.GetUtcNow());
        }
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);

        response.GetTypedHeaders().ETag = VersionOf(product);
        var answer = AnswerOf(product);
        return isNew ? TypedResults.Created($"/api/catalog/{sku}", answer) : TypedResults.Ok(answer);
    }

    private static ProductAnswer AnswerOf(Product product) => new(product.Sku, product.Name, product.Description, product.Price);

    private static EntityTagHeaderValue VersionOf(Product product) => Product.VersionOf(product.Name, product.Description, product.Price);

    private static ValidationErrors Validate(string sku, ProductRequest request)
    {
        var errors = new ValidationErrors();
        if (!SkuPattern().IsMatch(sku))
            errors.Add("sku", "Must be 1 to 64 of a-z, 0-9 and -.");
        else if (CardNumbers.IsIn(sku))
            errors.Add("sku", CardNumbers.Refusal);
        // characters as the database counts them, which takes a name of so many from SQL
        if (string.IsNullOrWhiteSpace(request.Name) || request.Name.EnumerateRunes().Count() > Product.MaxNameLength)
            errors.Add("name", $"Must be 1 to {Product.MaxNameLength} characters.");
        if (request.Description.Length > MaxDescriptionLength)
            errors.Add("description", $"Must be at most {MaxDescriptionLength} characters.");
        if (request.Price.Amount is <= 0 or > Product.MaxPrice || decimal.Round(request.Price.Amount, 2) != request.Price.Amount)
            errors.Add("price.amount", $"Must be 0.01 to {Product.MaxPrice}, with at most two decimals.");
        if (request.Price.Currency != Product.Currency)
            errors.Add("price.currency", $"Must be {Product.Currency}.");
        return errors;
    }

    [GeneratedRegex(@"\A[a-z0-9-]{1,64}\z")]
    private static partial Regex SkuPattern();
}
