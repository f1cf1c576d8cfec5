using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Shop.Inventory.Stock;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Inventory.ReceivingGoods;

/// <summary>Goods that arrived.</summary>
internal sealed record ReceiptRequest(int Quantity);

/// <summary><c>POST /api/ops/stock/{sku}/receipts</c>: an operator books goods that arrived, once for each Idempotency-Key.</summary>
internal static class ReceiptEndpoints
{
    private const int MaxQuantity = 1_000_000;
    private const int MaxKeyLength = 128;

    public static void MapReceivingGoods(this IEndpointRouteBuilder app) =>
        app.MapPost("/api/ops/stock/{sku}/receipts", PostAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("Books goods that arrived, once for each Idempotency-Key.")
            .WithRequestExample("""{"quantity":100}""")
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);

    private static async Task<Results<Ok<StockAnswer>, NotFound, ValidationProblem, ProblemHttpResult>> PostAsync(
        string sku, [FromHeader(Name = "Idempotency-Key")] string idempotencyKey, ReceiptRequest request, ClaimsPrincipal user,
        InventoryDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        var errors = new ValidationErrors();
        if (idempotencyKey.Length is < 1 or > MaxKeyLength || !idempotencyKey.All(character => character is > ' ' and <= '~'))
            errors.Add("Idempotency-Key", $"Must be 1 to {MaxKeyLength} visible ASCII characters.");
        if (request.Quantity is < 1 or > MaxQuantity)
            errors.Add("quantity", $"Must be 1 to {MaxQuantity}.");
        if (errors.Any)
            return errors.ToProblem();

        var operatorId = user.ShopperId();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // equal requests queue up here, so the one below the first sees what the first has booked
        var item = await db.Stock.FromSql($"SELECT sku, on_hand, reserved, dispatched FROM stock WHERE sku = {sku} FOR UPDATE").SingleOrDefaultAsync(cancellationToken);
        if (item is null)
            return TypedResults.NotFound();
        var earlier = await db.Receipts.AsNoTracking().SingleOrDefaultAsync(
            receipt => receipt.OperatorId == operatorId && receipt.IdempotencyKey == idempotencyKey, cancellationToken);
        if (earlier is not null)
            return earlier.Sku == sku && earlier.Quantity == request.Quantity ? TypedResults.Ok(earlier.ToAnswer()) : KeyUsed();
        if (request.Quantity > item.ReceivableQuantity)
        {
            errors.Add("quantity", $"Must be at most {item.ReceivableQuantity}: no more pieces of a product can be counted.");
            return errors.ToProblem();
        }

        item.Receive(request.Quantity);
        var booked = await db.Database.ExecuteSqlAsync($"""
            INSERT INTO receipts (operator_id, idempotency_key, sku, quantity, on_hand, reserved, dispatched, received_at)
            VALUES ({operatorId}, {idempotencyKey}, {sku}, {request.Quantity}, {item.OnHand}, {item.Reserved}, {item.Dispatched}, {time.GetUtcNow()})
            ON CONFLICT DO NOTHING
            """, cancellationToken);
        // the key was used at the same moment for another sku, whose row is another lock
        if (booked == 0)
            return KeyUsed();
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return TypedResults.Ok(StockAnswer.Of(item));
    }

    private static ProblemHttpResult KeyUsed()
    {
        var errors = new Dictionary<string, string[]> { ["Idempotency-Key"] = ["Was used for another request."] };
        return TypedResults.Problem(new HttpValidationProblemDetails(errors) { Status = StatusCodes.Status422UnprocessableEntity });
    }
}
