using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Orders.ReadingOrders;

/// <summary>
/// <c>GET /api/orders/{id}/timeline</c>: every event of an order, from all services, for its shopper and for operators. It is the history that the
/// order's stream shows as it is written: there is no second one to differ from it.
/// </summary>
public static class OrderTimelineEndpoint
{
    /// <summary>Maps the endpoint.</summary>
    public static void MapOrderTimeline(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/api/orders/{id:guid}/timeline", ReadAsync).RequireAuthorization()
            .WithSummary("Every event of an order, from all services, in the order in which they happened.");

    private static async Task<Results<Ok<IReadOnlyList<TimelineEvent>>, NotFound>> ReadAsync(
        Guid id, ClaimsPrincipal user, OrdersDb db, CancellationToken cancellationToken)
    {
        var (shopperId, isOperator) = (user.ShopperId(), user.IsInRole(Policies.OperatorRole));
        var history = await db.Orders.Where(order => order.CorrelationId == id && (isOperator || order.ShopperId == shopperId))
            .Select(order => db.OrderEvents.Where(e => e.OrderId == order.CorrelationId).OrderBy(e => e.Sequence).ToList())
            .AsNoTracking().SingleOrDefaultAsync(cancellationToken);
        return history is null ? TypedResults.NotFound() : TypedResults.Ok(TimelineEvent.Of(history, isOperator));
    }
}
