using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Shop.Inventory.Stock;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Inventory.CorrectingStock;

/// <summary>What was counted: all pieces in the warehouse, reserved ones included.</summary>
internal sealed record CorrectionRequest(int OnHand, string Reason);

/// <summary><c>POST /api/ops/stock/{sku}/corrections</c>: an operator books what a stock-taking found, once for each Idempotency-Key.</summary>
internal static class CorrectionEndpoints
{
    private const int MaxReasonLength = 200;

    public static void MapCorrectingStock(this IEndpointRouteBuilder app) =>
        app.MapPost("/api/ops/stock/{sku}/corrections", PostAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("Books what a stock-taking found, once for each Idempotency-Key; 409 where that is less than orders hold.")
            .WithRequestExample("""{"onHand":97,"reason":"stock-taking"}""").WithIdempotencyKey()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);

    private static async Task<Results<Ok<StockAnswer>, ValidationProblem, ProblemHttpResult>> PostAsync(
        string sku, [FromHeader(Name = IdempotencyKeyHeader.Name)] string idempotencyKey, CorrectionRequest request, ClaimsPrincipal user,
        InventoryDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        var errors = new ValidationErrors();
        errors.CheckIdempotencyKey(idempotencyKey);
        if (request.OnHand < 0)
            errors.Add("onHand", "Must be 0 or more.");
        if (string.IsNullOrWhiteSpace(request.Reason) || request.Reason.Length > MaxReasonLength)
            errors.Add("reason", $"Must be 1 to {MaxReasonLength} characters.");
        if (errors.Any)
            return errors.ToProblem();

        var (operatorId, now) = (user.ShopperId(), time.GetUtcNow());
        return await StockBookings.BookAsync(db, sku,
            db.Corrections.AsNoTracking().Where(correction => correction.OperatorId == operatorId && correction.IdempotencyKey == idempotencyKey),
            correction => correction.OnHand == request.OnHand && correction.Reason == request.Reason,
            item =>
            {
                if (request.OnHand > item.CountableQuantity)
                    return StockBookings.Refusal(StatusCodes.Status400BadRequest, "onHand", $"Must be at most {item.CountableQuantity}: no more pieces of a product can be counted.");
                if (request.OnHand < item.Reserved)
                    return StockBookings.Refusal(StatusCodes.Status409Conflict, "onHand", $"Orders hold {item.Reserved} pieces: some have to be cancelled before fewer can be on hand.");
                if (item.Correct(request.OnHand) is { OnHand: not 0 } change)
                    db.Record(new(change, MovementCause.Correction, idempotencyKey, request.Reason, now));
                return null;
            },
            item => $"""
                INSERT INTO corrections (operator_id, idempotency_key, sku, reason, on_hand, reserved, dispatched, corrected_at)
                VALUES ({operatorId}, {idempotencyKey}, {sku}, {request.Reason}, {item.OnHand}, {item.Reserved}, {item.Dispatched}, {now})
                ON CONFLICT DO NOTHING
                """,
            cancellationToken);
    }
}
