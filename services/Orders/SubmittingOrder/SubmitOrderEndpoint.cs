using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Shop.Contracts;
using Shop.Orders.ReadingOrders;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Orders.SubmittingOrder;

/// <summary><c>POST /api/orders</c>.</summary>
public static partial class SubmitOrderEndpoint
{
    private const string PrimaryKeyOfIdempotencyKeys = "idempotency_keys_pkey";

    /// <summary>Maps the endpoint.</summary>
    public static void MapSubmittingOrder(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapPost("/api/orders", SubmitAsync).RequireAuthorization();

    private static async Task<Results<Accepted<OrderView>, ValidationProblem, ProblemHttpResult>> SubmitAsync(
        [FromHeader(Name = SubmitOrderRules.IdempotencyKeyHeader)] string? idempotencyKey, SubmitOrder request, ClaimsPrincipal user,
        OrdersDb db, TimeProvider time, ILogger<SubmitOrder> logger, CancellationToken cancellationToken)
    {
        var errors = new ValidationErrors();
        SubmitOrderRules.Check(idempotencyKey, request, errors);
        if (errors.Any)
            return errors.ToProblem();

        var skus = request.Lines.Select(line => line!.Sku).ToList();
        var products = await db.Products.AsNoTracking().Where(product => skus.Contains(product.Sku))
            .ToDictionaryAsync(product => product.Sku, StringComparer.Ordinal, cancellationToken);
        var (lines, total) = OrderPricing.Price(request.Lines, products, errors);
        var key = NewKey(user.ShopperId(), idempotencyKey!, request, time.GetUtcNow());
        if (errors.Any)
            // the order may have been accepted when its products were still sold
            return await AnswerOfFirstAsync(db, key, cancellationToken) is { } first ? Union(first) : errors.ToProblem();

        var order = NewOrder(key, request, lines, total);
        db.Orders.Add(order);
        db.IdempotencyKeys.Add(key);
        db.Publish(order.ToOrderSubmitted());
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        // no look before the leap: the unique key decides, for a repetition and for a race alike
        catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: PrimaryKeyOfIdempotencyKeys })
        {
            LogRepeated(logger, key.ShopperId);
            return Union(await AnswerOfFirstAsync(db, key, cancellationToken)
                ?? throw new InvalidOperationException("An idempotency key disappeared while its order was submitted again", e));
        }
        OrderMetrics.Submitted.Add(1);
        LogSubmitted(logger, order.CorrelationId);
        return Accepted(order);
    }

    private static IdempotencyKey NewKey(string shopperId, string key, SubmitOrder request, DateTimeOffset now) => new()
    {
        ShopperId = shopperId,
        Key = key,
        RequestHash = IdempotencyKey.HashOf(request),
        OrderId = Guid.CreateVersion7(now),
        // what PostgreSQL keeps, so that the first answer and a repeated one are the same
        CreatedAt = new(now.Ticks - now.Ticks % TimeSpan.TicksPerMicrosecond, TimeSpan.Zero),
    };

    private static Order NewOrder(IdempotencyKey key, SubmitOrder request, IReadOnlyList<OrderLine> lines, Money total) => new()
    {
        CorrelationId = key.OrderId,
        ShopperId = key.ShopperId,
        Lines = lines,
        TotalAmount = total.Amount,
        Currency = total.Currency,
        ShipTo = request.ShipTo,
        PaymentToken = request.Payment.Token,
        PaymentId = Guid.CreateVersion7(key.CreatedAt),
        SubmittedAt = key.CreatedAt,
        UpdatedAt = key.CreatedAt,
    };

    /// <summary>What the first submission with the same key was answered, or 422 where it asked for something else; null where there was none.</summary>
    private static async Task<IResult?> AnswerOfFirstAsync(OrdersDb db, IdempotencyKey key, CancellationToken cancellationToken)
    {
        var first = await (
            from used in db.IdempotencyKeys.AsNoTracking()
            join order in db.Orders.AsNoTracking() on used.OrderId equals order.CorrelationId
            where used.ShopperId == key.ShopperId && used.Key == key.Key
            select new { used.RequestHash, Order = order }).SingleOrDefaultAsync(cancellationToken);
        if (first is null)
            return null;
        return first.RequestHash.AsSpan().SequenceEqual(key.RequestHash)
            ? Accepted(first.Order)
            : TypedResults.Problem(new HttpValidationProblemDetails(new Dictionary<string, string[]>
            {
                [SubmitOrderRules.IdempotencyKeyHeader] = ["Was used before, for another order: choose a new value."],
            })
            { Status = StatusCodes.Status422UnprocessableEntity });
    }

    private static Accepted<OrderView> Accepted(Order order) =>
        TypedResults.Accepted($"/api/orders/{order.CorrelationId}", OrderView.AsSubmitted(order));

    private static Results<Accepted<OrderView>, ValidationProblem, ProblemHttpResult> Union(IResult answer) =>
        answer is Accepted<OrderView> accepted ? accepted : (ProblemHttpResult)answer;

    [LoggerMessage(EventName = "OrderSubmitted", Level = LogLevel.Debug, Message = "Order {OrderId} was submitted")]
    private static partial void LogSubmitted(ILogger logger, Guid orderId);

    [LoggerMessage(EventName = "SubmissionRepeated", Level = LogLevel.Information, Message = "{ShopperId} submitted with an idempotency key that was used before")]
    private static partial void LogRepeated(ILogger logger, string shopperId);
}
