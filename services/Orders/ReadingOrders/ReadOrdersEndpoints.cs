using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Orders.ReadingOrders;

/// <summary><c>GET /api/orders/{id}</c>, as it is or as it was, and <c>GET /api/orders</c>: a shopper's own orders.</summary>
public static class ReadOrdersEndpoints
{
    private const int DefaultLimit = 20;
    private const int MaxLimit = 100;

    /// <summary>Maps the endpoints.</summary>
    public static void MapReadingOrders(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/api/orders/{id:guid}", ReadAsync).RequireAuthorization()
            .WithSummary("One of the shopper's orders, as it is or as it was at a moment or right after one of its events.");
        endpoints.MapGet("/api/orders", ListAsync).RequireAuthorization()
            .WithSummary("The shopper's orders, newest first.");
    }

    private static async Task<Results<Ok<OrderView>, NotFound, ValidationProblem>> ReadAsync(
        Guid id, ClaimsPrincipal user, OrdersDb db, CancellationToken cancellationToken, string? at = null)
    {
        var point = default(PointInHistory);
        if (at is not null && !PointInHistory.TryParse(at, out point))
        {
            var errors = new ValidationErrors();
            errors.Add(nameof(at), PointInHistory.Expected);
            return errors.ToProblem();
        }
        var shopperId = user.ShopperId();
        var order = await db.Orders.AsNoTracking()
            .SingleOrDefaultAsync(order => order.CorrelationId == id && order.ShopperId == shopperId, cancellationToken);
        if (order is null)
            return TypedResults.NotFound();
        if (at is null)
            return TypedResults.Ok(OrderView.Of(order));

        var history = await db.HistoryOfAsync(id, cancellationToken);
        var view = OrderFolding.Fold(point.Of(history))
            // the submission is recorded a moment after it was answered, and its event is stamped a moment after the order
            ?? (point.Time >= order.SubmittedAt ? OrderView.AsSubmitted(order) : null);
        return view is null ? TypedResults.NotFound() : TypedResults.Ok(view);
    }

    private static async Task<Results<Ok<Page<OrderView>>, ValidationProblem>> ListAsync(ClaimsPrincipal user, OrdersDb db, CancellationToken cancellationToken,
        string? status = null, Guid? after = null, int limit = DefaultLimit)
    {
        var errors = new ValidationErrors();
        string? state = null;
        if (status is not null && !OrderStatus.TryParse(status, out state))
            errors.Add(nameof(status), OrderStatus.Expected);
        errors.CheckLimit(limit, MaxLimit);
        if (errors.Any)
            return errors.ToProblem();

        var shopperId = user.ShopperId();
        var orders = db.Orders.AsNoTracking().Where(order => order.ShopperId == shopperId);
        if (state is not null)
            orders = orders.Where(order => order.CurrentState == state);
        if (after is { } last)
            orders = orders.Where(order => order.CorrelationId < last);
        // ids are UUIDv7: newest first is a walk down the index, and orders that arrive meanwhile come before the page, never into it
        var found = await orders.OrderByDescending(order => order.CorrelationId).Take(limit + 1).ToListAsync(cancellationToken);
        return TypedResults.Ok(found.ToPage(limit, order => order.CorrelationId.ToString(), OrderView.Of));
    }
}
