using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Shop.Inventory.Stock;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Inventory.ReadingMovements;

/// <summary>An entry of the ledger: by how much it moved the numbers of the product, and why.</summary>
internal sealed record MovementItem(long Id, DateTimeOffset At, string Cause, string? Reference, string? Reason, int OnHand, int Reserved, int Dispatched);

/// <summary><c>GET /api/ops/stock/{sku}/movements</c>: the ledger of a product.</summary>
internal static class MovementEndpoints
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;

    public static void MapReadingMovements(this IEndpointRouteBuilder app) =>
        app.MapGet("/api/ops/stock/{sku}/movements", GetPageAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("Every movement of a product's stock, oldest first: their sums are its levels.")
            .ProducesProblem(StatusCodes.Status404NotFound);

    private static async Task<Results<Ok<Page<MovementItem>>, ValidationProblem, ProblemHttpResult>> GetPageAsync(
        string sku, InventoryDb db, CancellationToken cancellationToken, long after = 0, int limit = DefaultLimit)
    {
        var errors = new ValidationErrors();
        errors.CheckLimit(limit, MaxLimit);
        if (after < 0)
            errors.Add("after", "Must be the next of another page.");
        if (errors.Any)
            return errors.ToProblem();

        var movements = await db.Movements.AsNoTracking().Where(movement => movement.Sku == sku && movement.Id > after)
            .OrderBy(movement => movement.Id).Take(limit + 1).ToListAsync(cancellationToken);
        if (movements.Count == 0 && !await db.Stock.AnyAsync(item => item.Sku == sku, cancellationToken))
            return Unknown.Product(sku);
        return TypedResults.Ok(movements.ToPage(limit, movement => movement.Id.ToString(CultureInfo.InvariantCulture),
            m => new MovementItem(m.Id, m.MovedAt, StockLedger.NameOf(m.Cause), m.Reference, m.Reason, m.OnHand, m.Reserved, m.Dispatched)));
    }
}
