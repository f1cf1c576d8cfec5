using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;
using Shop.Contracts;
using Shop.Messaging.Workers;
using Shop.Orders.FulfillingOrder;
using Shop.Orders.ReadingOrders;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Orders.SubmittingOrder;

/// <summary><c>POST /api/orders</c>.</summary>
public static partial class SubmitOrderEndpoint
{
    private const string PrimaryKeyOfIdempotencyKeys = "idempotency_keys_pkey";

    /// <summary>An expired key makes a second attempt, and one that somebody else renews at the same moment a third; no honest database needs more.</summary>
    private const int MaxAttempts = 5;

    /// <summary>Adds the options, and what deletes expired keys; after the database, which has to be migrated first.</summary>
    public static void AddSubmittingOrder(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<IdempotencyKeyOptions>().BindConfiguration("IdempotencyKeys").ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton(builder.Configuration.GetRequired("PaymentTokens:PublicKey", key => new PaymentTokenSealer(key)));
        builder.Services.AddPeriodicWorker<IdempotencyKeyCleanup>("idempotency key clean-up");
    }

    /// <summary>Maps the endpoint.</summary>
    public static void MapSubmittingOrder(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapPost("/api/orders", SubmitAsync).RequireAuthorization()
            .WithSummary("Submits an order, once for each Idempotency-Key.")
            .WithRequestExample("""
                {"lines":[{"sku":"mug-blue","quantity":2}],"payment":{"token":"tok_visa"},
                 "shipTo":{"name":"Ada","street":"Main Street 1","city":"Berlin","postalCode":"10115","country":"DE"}}
                """)
            .WithIdempotencyKey().WithLocation("The order.")
            .WithProblem(StatusCodes.Status409Conflict, "A price has changed, and the total is not the one expected: nothing was ordered, and `total` is what it would be now.")
            .WithProblem(StatusCodes.Status422UnprocessableEntity, "The Idempotency-Key was used for another order.");

    private static async Task<Results<Accepted<OrderView>, ValidationProblem, ProblemHttpResult>> SubmitAsync(
        HttpRequest http, SubmitOrder request, ClaimsPrincipal user, OrdersDb db, IOptions<IdempotencyKeyOptions> keys,
        IOptions<OrderDeadlines> deadlines, PaymentTokenSealer tokens, TimeProvider time, ILogger<SubmitOrder> logger, CancellationToken cancellationToken)
    {
        // read as it was sent: bound to a parameter, two keys would be one with a comma, or one with a comma two
        var sentKeys = http.Headers[IdempotencyKeyHeader.Name];
        var errors = new ValidationErrors();
        SubmitOrderRules.Check(sentKeys, request, errors);
        if (errors.Any)
            return errors.ToProblem();

        var skus = request.Lines.Select(line => line!.Sku).ToList();
        var products = await db.Products.AsNoTracking().Where(product => skus.Contains(product.Sku))
            .ToDictionaryAsync(product => product.Sku, StringComparer.Ordinal, cancellationToken);
        var (lines, total) = OrderPricing.Price(request.Lines, products, errors);
        var now = time.GetUtcNow();
        var key = NewKey(user.ShopperId(), sentKeys[0]!, request, now);
        var expiredBefore = now - keys.Value.Lifetime;
        var priceChanged = !errors.Any && request.ExpectedTotal is { } expected && expected != total;
        if (errors.Any || priceChanged)
        {
            // the order may have been accepted when its products were still sold, or at that price
            return await AnswerOfFirstAsync(db, key, expiredBefore, cancellationToken) is { } first ? Union(first)
                : priceChanged ? PriceChanged(total)
                : errors.ToProblem();
        }

        var firstOrderedAt = await db.Orders.Where(earlier => earlier.ShopperId == key.ShopperId).OrderBy(earlier => earlier.CorrelationId)
            .Select(earlier => (DateTimeOffset?)earlier.SubmittedAt).FirstOrDefaultAsync(cancellationToken);
        var order = NewOrder(key, request, lines, total, tokens, DeviceOf(http), firstOrderedAt);
        db.Orders.Add(order);
        db.IdempotencyKeys.Add(key);
        db.Publish(order.ToOrderSubmitted());
        // renewed when the submission comes back to the order; should the topic lose it, the order ends all the same
        order.DeadlineAt = order.SubmittedAt + deadlines.Value.Reservation;
        order.DeadlineToken = db.Schedule(OrderFulfilment.ReservationDeadlineOf(order.CorrelationId), order.DeadlineAt.Value);
        db.WhenCommitted(() => OrderMetrics.Submitted.Add(1));
        if (await SaveUnlessRepeatedAsync(db, key, expiredBefore, cancellationToken) is { } answered)
        {
            LogRepeated(logger, key.ShopperId);
            return Union(answered);
        }
        LogSubmitted(logger, order.CorrelationId);
        return Accepted(order);
    }

    /// <summary>The browser, as the gateway says; what is too long or odd did not come from there.</summary>
    private static string? DeviceOf(HttpRequest http) =>
        http.Headers[DeviceHeaders.DeviceId] is [{ Length: > 0 and <= DeviceHeaders.MaxLength } device] && device.All(char.IsAsciiLetterOrDigit) ? device : null;

    /// <summary>Saves the order with its key; null when it was saved, the answer of the first submission where this one repeats it.</summary>
    private static async Task<IResult?> SaveUnlessRepeatedAsync(OrdersDb db, IdempotencyKey key, DateTimeOffset expiredBefore, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await db.SaveChangesAsync(cancellationToken);
                return null;
            }
            // no look before the leap: the unique key decides, for a repetition and for a race alike
            catch (DbUpdateException e) when (attempt < MaxAttempts && e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: PrimaryKeyOfIdempotencyKeys })
            {
                if (await AnswerOfFirstAsync(db, key, expiredBefore, cancellationToken) is { } first)
                    return first;
                // Expired: whoever is first to save after this has the key again. What failed to be saved is still to be saved, so it is tried again.
                await db.IdempotencyKeys.Where(used => used.ShopperId == key.ShopperId && used.Key == key.Key && used.CreatedAt <= expiredBefore)
                    .ExecuteDeleteAsync(cancellationToken);
            }
        }
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

    private static Order NewOrder(IdempotencyKey key, SubmitOrder request, IReadOnlyList<OrderLine> lines, Money total, PaymentTokenSealer tokens,
        string? deviceId, DateTimeOffset? firstOrderedAt)
    {
        var paymentId = Guid.CreateVersion7(key.CreatedAt);
        return new()
        {
            CorrelationId = key.OrderId,
            ShopperId = key.ShopperId,
            Lines = lines,
            TotalAmount = total.Amount,
            Currency = total.Currency,
            ShipTo = request.ShipTo,
            PaymentToken = tokens.Seal(paymentId, request.Payment.Token),
            PaymentId = paymentId,
            DeviceId = deviceId,
            FirstOrderedAt = firstOrderedAt ?? key.CreatedAt,
            SubmittedAt = key.CreatedAt,
            UpdatedAt = key.CreatedAt,
        };
    }

    /// <summary>
    /// What the first submission with the same key was answered, or 422 where it asked for something else; null where there was none, or its key
    /// has expired.
    /// </summary>
    private static async Task<IResult?> AnswerOfFirstAsync(OrdersDb db, IdempotencyKey key, DateTimeOffset expiredBefore, CancellationToken cancellationToken)
    {
        var first = await (
            from used in db.IdempotencyKeys.AsNoTracking()
            join order in db.Orders.AsNoTracking() on used.OrderId equals order.CorrelationId
            where used.ShopperId == key.ShopperId && used.Key == key.Key && used.CreatedAt > expiredBefore
            select new { used.RequestHash, Order = order }).SingleOrDefaultAsync(cancellationToken);
        if (first is null)
            return null;
        return first.RequestHash.AsSpan().SequenceEqual(key.RequestHash)
            ? Accepted(first.Order)
            : TypedResults.Problem(new HttpValidationProblemDetails(new Dictionary<string, string[]>
            {
                [IdempotencyKeyHeader.Name] = ["Was used before, for another order: choose a new value."],
            })
            { Status = StatusCodes.Status422UnprocessableEntity });
    }

    private static ProblemHttpResult PriceChanged(Money total) => TypedResults.Problem(
        new HttpValidationProblemDetails(new Dictionary<string, string[]> { ["expectedTotal"] = ["Holds no longer: nothing was ordered. The total would be the one given here."] })
        {
            Status = StatusCodes.Status409Conflict,
            Detail = "A price has changed.",
            Extensions = { ["total"] = total },
        });

    private static Accepted<OrderView> Accepted(Order order) =>
        TypedResults.Accepted($"/api/orders/{order.CorrelationId}", OrderView.AsSubmitted(order));

    private static Results<Accepted<OrderView>, ValidationProblem, ProblemHttpResult> Union(IResult answer) =>
        answer is Accepted<OrderView> accepted ? accepted : (ProblemHttpResult)answer;

    [LoggerMessage(EventName = "OrderSubmitted", Level = LogLevel.Debug, Message = "Order {OrderId} was submitted")]
    private static partial void LogSubmitted(ILogger logger, Guid orderId);

    [LoggerMessage(EventName = "SubmissionRepeated", Level = LogLevel.Information, Message = "{ShopperId} submitted with an idempotency key that was used before")]
    private static partial void LogRepeated(ILogger logger, string shopperId);
}
