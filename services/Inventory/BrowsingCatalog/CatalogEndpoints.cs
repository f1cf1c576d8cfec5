using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Inventory.Products;
using Shop.Inventory.Stock;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Inventory.BrowsingCatalog;

/// <summary>A product in the catalogue, with the pieces of it that can be ordered at the moment.</summary>
internal sealed record CatalogItem(string Sku, string Name, string Description, Money Price, int Available);

/// <summary>The catalogue and the stock, for anyone.</summary>
internal static class CatalogEndpoints
{
    private const int DefaultLimit = 50;
    private const int MaxLimit = 100;
    private const int MaxSearchLength = 100;

    public static void MapBrowsingCatalog(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/catalog", GetPageAsync).AllowAnonymous()
            .WithSummary("A page of the catalogue, by sku; search finds parts of sku, name and description, whatever their case and accents.");
        app.MapGet("/api/catalog/{sku}", GetAsync).AllowAnonymous()
            .WithSummary("A product, with the pieces of it that can be ordered at the moment.")
            .WithETag().ProducesProblem(StatusCodes.Status404NotFound);
        app.MapGet("/api/stock/{sku}", GetStockAsync).AllowAnonymous()
            .WithSummary("The stock of a product.")
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<Results<Ok<Page<CatalogItem>>, ValidationProblem>> GetPageAsync(
        string? search, string? after, InventoryDb db, CancellationToken cancellationToken, int limit = DefaultLimit)
    {
        var errors = new ValidationErrors();
        errors.CheckLimit(limit, MaxLimit);
        if (search?.Length > MaxSearchLength)
            errors.Add("search", $"Must be at most {MaxSearchLength} characters.");
        if (errors.Any)
            return errors.ToProblem();

        var products = db.Products.AsNoTracking();
        if (!string.IsNullOrWhiteSpace(search))
        {
            var text = search.Trim();
            products = products.Where(product => product.SearchText.Contains(InventoryDb.Searchable(text)));
        }
        if (!string.IsNullOrEmpty(after))
            products = products.Where(product => string.Compare(product.Sku, after) > 0);
        var found = await Items(products.OrderBy(product => product.Sku), db).Take(limit + 1).ToListAsync(cancellationToken);
        return TypedResults.Ok(found.ToPage(limit, item => item.Sku));
    }

    private static async Task<Results<Ok<CatalogItem>, ProblemHttpResult>> GetAsync(string sku, InventoryDb db, HttpResponse response, CancellationToken cancellationToken)
    {
        if (await Items(db.Products.AsNoTracking().Where(product => product.Sku == sku), db).SingleOrDefaultAsync(cancellationToken) is not { } item)
            return Unknown.Product(sku);
        // the product's: what is available, which changes all the time, is no part of what If-Match guards
        response.GetTypedHeaders().ETag = Product.VersionOf(item.Name, item.Description, item.Price);
        return TypedResults.Ok(item);
    }

    private static async Task<Results<Ok<StockAnswer>, ProblemHttpResult>> GetStockAsync(string sku, InventoryDb db, CancellationToken cancellationToken) =>
        await db.Stock.AsNoTracking().SingleOrDefaultAsync(item => item.Sku == sku, cancellationToken) is { } item
            ? TypedResults.Ok(StockAnswer.Of(item))
            : Unknown.Product(sku);

    private static IQueryable<CatalogItem> Items(IQueryable<Product> products, InventoryDb db) =>
        from product in products
        join stock in db.Stock on product.Sku equals stock.Sku
        select new CatalogItem(product.Sku, product.Name, product.Description, product.Price, stock.OnHand - stock.Reserved);
}
