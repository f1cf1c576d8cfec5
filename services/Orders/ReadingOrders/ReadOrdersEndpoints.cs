using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Orders.ReadingOrders;

/// <summary><c>GET /api/orders/{id}</c> and <c>GET /api/orders</c>: a shopper's own orders.</summary>
public static class ReadOrdersEndpoints
{
    private const int DefaultLimit = 20;
    private const int MaxLimit = 100;

    /// <summary>Maps the endpoints.</summary>
    public static void MapReadingOrders(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/api/orders/{id:guid}", ReadAsync).RequireAuthorization();
        endpoints.MapGet("/api/orders", ListAsync).RequireAuthorization();
    }

    private static async Task<Results<Ok<OrderView>, NotFound>> ReadAsync(Guid id, ClaimsPrincipal user, OrdersDb db, CancellationToken cancellationToken)
    {
        var shopperId = user.ShopperId();
        var order = await db.Orders.AsNoTracking()
            .SingleOrDefaultAsync(order => order.CorrelationId == id && order.ShopperId == shopperId, cancellationToken);
        return order is null ? TypedResults.NotFound() : TypedResults.Ok(OrderView.Of(order));
    }

    private static async Task<Results<Ok<OrderPage>, ValidationProblem>> ListAsync(ClaimsPrincipal user, OrdersDb db, CancellationToken cancellationToken,
        Guid? after = null, int limit = DefaultLimit)
    {
        if (limit is < 1 or > MaxLimit)
        {
            var errors = new ValidationErrors();
            errors.Add(nameof(limit), $"Must be 1 to {MaxLimit}.");
            return errors.ToProblem();
        }
        var shopperId = user.ShopperId();
        var orders = db.Orders.AsNoTracking().Where(order => order.ShopperId == shopperId);
        if (after is { } last)
            orders = orders.Where(order => order.CorrelationId < last);
        // ids are UUIDv7: newest first is a walk down the index, and orders that arrive meanwhile come before the page, never into it
        var found = await orders.OrderByDescending(order => order.CorrelationId).Take(limit + 1).ToListAsync(cancellationToken);
        var next = found.Count > limit ? found[limit - 1].CorrelationId.ToString() : null;
        return TypedResults.Ok(new OrderPage([.. found.Take(limit).Select(OrderView.Of)], next));
    }
}
