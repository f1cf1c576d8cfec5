using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Shop.ServiceDefaults;

namespace Shop.Inventory.Stock;

/// <summary>What an operator booked, with the level right after it: the answer, and that to its repeats.</summary>
internal interface IStockBooking
{
    /// <summary>The product.</summary>
    string Sku { get; }

    /// <summary>Pieces in the warehouse right after it, reserved ones included.</summary>
    int OnHand { get; }

    /// <summary>Pieces held for orders right after it.</summary>
    int Reserved { get; }

    /// <summary>Pieces that had ever left the warehouse.</summary>
    int Dispatched { get; }
}

/// <summary>What operators book in the stock of a product, once for each of their Idempotency-Keys.</summary>
internal static class StockBookings
{
    /// <summary>Books it, or answers as before where the same was booked under the key.</summary>
    /// <param name="db">The unit of work.</param>
    /// <param name="sku">The product.</param>
    /// <param name="earlier">What was booked under the operator's key.</param>
    /// <param name="isRepeat">Whether an earlier booking of the product is this one.</param>
    /// <param name="change">Changes the stock, or says why that cannot be.</param>
    /// <param name="insert">The statement that writes the booking; no row where the key was used in the meantime.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task<Results<Ok<StockAnswer>, ValidationProblem, ProblemHttpResult>> BookAsync<TBooking>(
        InventoryDb db, string sku, IQueryable<TBooking> earlier, Func<TBooking, bool> isRepeat, Func<StockItem, ProblemHttpResult?> change,
        Func<StockItem, FormattableString> insert, CancellationToken cancellationToken) where TBooking : IStockBooking
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // equal requests queue up here, so the one below the first sees what the first has booked
        if (await db.LockStockAsync([sku], cancellationToken) is not [var item])
            return Unknown.Product(sku);
        if (await earlier.SingleOrDefaultAsync(cancellationToken) is { } booked)
            return booked.Sku == sku && isRepeat(booked) ? TypedResults.Ok(StockAnswer.Of(booked)) : KeyUsed();
        if (change(item) is { } refusal)
            return refusal;
        // the key was used at the same moment for another sku, whose row is another lock
        if (await db.Database.ExecuteSqlAsync(insert(item), cancellationToken) == 0)
            return KeyUsed();
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return TypedResults.Ok(StockAnswer.Of(item));
    }

    /// <summary>A refusal that names what is wrong.</summary>
    public static ProblemHttpResult Refusal(int status, string field, string message) =>
        TypedResults.Problem(new HttpValidationProblemDetails(new Dictionary<string, string[]> { [field] = [message] }) { Status = status });

    private static ProblemHttpResult KeyUsed() => Refusal(StatusCodes.Status422UnprocessableEntity, IdempotencyKeyHeader.Name, "Was used for another request.");
}
