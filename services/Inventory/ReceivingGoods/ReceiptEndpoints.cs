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

    public static void MapReceivingGoods(this IEndpointRouteBuilder app) =>
        app.MapPost("/api/ops/stock/{sku}/receipts", PostAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("Books goods that arrived, once for each Idempotency-Key.")
            .WithRequestExample("""{"quantity":100}""").WithIdempotencyKey()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);

    private static async Task<Results<Ok<StockAnswer>, ValidationProblem, ProblemHttpResult>> PostAsync(
        string sku, [FromHeader(Name = IdempotencyKeyHeader.Name)] string idempotencyKey, ReceiptRequest request, ClaimsPrincipal user,
        InventoryDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        var errors = new ValidationErrors();
        errors.CheckIdempotencyKey(idempotencyKey);
        if (request.Quantity is < 1 or > MaxQuantity)
            errors.Add("quantity", $"Must be 1 to {MaxQuantity}.");
        if (errors.Any)
            return errors.ToProblem();

        var (operatorId, now) = (user.ShopperId(), time.GetUtcNow());
        return await StockBookings.BookAsync(db, sku,
            db.Receipts.AsNoTracking().Where(receipt => receipt.OperatorId == operatorId && receipt.IdempotencyKey == idempotencyKey),
            receipt => receipt.Quantity == request.Quantity,
            item =>
            {
                if (request.Quantity > item.ReceivableQuantity)
                    return StockBookings.Refusal(StatusCodes.Status400BadRequest, "quantity", $"Must be at most {item.ReceivableQuantity}: no more pieces of a product can be counted.");
                db.Record(new(item.Receive(request.Quantity), MovementCause.Receipt, idempotencyKey, null, now));
                return null;
            },
            item => $"""
                INSERT INTO receipts (operator_id, idempotency_key, sku, quantity, on_hand, reserved, dispatched, received_at)
                VALUES ({operatorId}, {idempotencyKey}, {sku}, {request.Quantity}, {item.OnHand}, {item.Reserved}, {item.Dispatched}, {now})
                ON CONFLICT DO NOTHING
                """,
            cancellationToken);
    }
}
