using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Orders.ReadingOrders;
using Shop.ServiceDefaults.Authentication;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Orders.CancellingOrder;

/// <summary><c>POST /api/orders/{id}/cancel</c>.</summary>
public static class CancelOrderEndpoint
{
    /// <summary>Maps the endpoint.</summary>
    public static void MapCancellingOrder(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapPost("/api/orders/{id:guid}/cancel", CancelAsync).RequireAuthorization()
            .WithSummary("Asks for the order's cancellation; the order shows how that ended.")
            .WithLocation("The order.")
            .ProducesProblem(StatusCodes.Status409Conflict);

    /// <summary>
    /// Asks for the cancellation through the order's own partition, where it takes its turn among the order's other events:
    /// 202 says that it was asked for, and the order shows how it ended.
    /// </summary>
    private static async Task<Results<Accepted<OrderView>, NotFound, ProblemHttpResult>> CancelAsync(
        Guid id, ClaimsPrincipal user, OrdersDb db, CancellationToken cancellationToken)
    {
        var shopperId = user.ShopperId();
        var order = await db.Orders.AsNoTracking()
            .SingleOrDefaultAsync(order => order.CorrelationId == id && order.ShopperId == shopperId, cancellationToken);
        if (order is null)
            return TypedResults.NotFound();
        var view = OrderView.Of(order);
        if (!order.CanBeCancelled)
            return TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, detail: $"The order is {view.Status}: it can no longer be cancelled.");

        db.Publish(new CancellationRequested(id, shopperId));
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Accepted($"/api/orders/{id}", view);
    }
}
