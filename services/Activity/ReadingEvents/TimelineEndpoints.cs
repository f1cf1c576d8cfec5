using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Shop.Activity.StoringEvents;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Activity.ReadingEvents;

/// <summary><c>GET /api/orders/{id}/timeline</c>: every event of an order, for its owner and for operators.</summary>
internal static class TimelineEndpoints
{
    /// <summary>An order has about ten events; more than this is somebody's noise under its key.</summary>
    private const int MaxEvents = 1000;

    public static void MapOrderTimeline(this IEndpointRouteBuilder app) =>
        app.MapGet("/api/orders/{id:guid}/timeline", GetAsync).RequireAuthorization()
            .WithSummary("Every event of an order, from all services, in the order in which they happened.");

    private static async Task<Results<Ok<IReadOnlyList<TimelineEvent>>, NotFound>> GetAsync(
        Guid id, ClaimsPrincipal user, ActivityDb db, CancellationToken cancellationToken)
    {
        var shopper = user.ShopperId();
        var isOperator = user.IsInRole(Policies.OperatorRole);
        var key = id.ToString();
        var events = await db.Events.AsNoTracking()
            .Where(e => e.Key == key && e.Key.Length <= StoredEvent.LongestSearchedKey && OrderTraces.OrderTopics.Contains(e.Topic))
            .Where(_ => isOperator || db.Orders.Any(order => order.OrderId == id && order.ShopperId == shopper))
            .OrderBy(e => e.At).ThenBy(e => e.Position)
            .Take(MaxEvents)
            .ToListAsync(cancellationToken);
        return events.Count == 0
            ? TypedResults.NotFound()
            : TypedResults.Ok(Timeline.WithSteps(Timeline.Sort(events.ConvertAll(e => TimelineEvent.Of(e, isOperator)))));
    }
}
