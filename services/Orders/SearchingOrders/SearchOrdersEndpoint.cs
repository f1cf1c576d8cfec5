using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Orders.ReadingOrders;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Orders.SearchingOrders;

/// <summary>An order as an operator finds it: without the shopper's address and means of payment, which searching does not need.</summary>
/// <param name="Id">The order's id.</param>
/// <param name="ShopperId">Whose order it is.</param>
/// <param name="Status">As in <see cref="OrderView"/>.</param>
/// <param name="Reason">Why it was cancelled; null where it was not.</param>
/// <param name="Total">The sum of its lines.</param>
/// <param name="SubmittedAt">When it was submitted.</param>
/// <param name="UpdatedAt">When its status last changed.</param>
public sealed record FoundOrder(Guid Id, string ShopperId, string Status, string? Reason, Money Total, DateTimeOffset SubmittedAt, DateTimeOffset UpdatedAt);

/// <summary><c>GET /api/ops/orders</c>: everybody's orders, for operators.</summary>
public static class SearchOrdersEndpoint
{
    private const int DefaultLimit = 50;
    private const int MaxLimit = 200;
    private const int MaxShopperLength = 256;

    /// <summary>Maps the endpoint.</summary>
    public static void MapSearchingOrders(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/api/ops/orders", SearchAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("Everybody's orders, by shopper, status and how long they have been in it; newest first.");

    /// <summary>
    /// Finds orders by shopper, by status, and by how long they have been in it (<c>olderThan</c>, an ISO 8601 duration). An order that has
    /// ended waits for nothing, so <c>olderThan</c> without a status finds only those that have not.
    /// </summary>
    private static async Task<Results<Ok<Page<FoundOrder>>, ValidationProblem>> SearchAsync(OrdersDb db, TimeProvider time, CancellationToken cancellationToken,
        string? shopper = null, string? status = null, string? olderThan = null, Guid? after = null, int limit = DefaultLimit)
    {
        var errors = new ValidationErrors();
        string? state = null;
        var age = TimeSpan.Zero;
        if (shopper is { Length: 0 or > MaxShopperLength })
            errors.Add(nameof(shopper), $"Must be 1 to {MaxShopperLength} characters.");
        if (status is not null && !OrderStatus.TryParse(status, out state))
            errors.Add(nameof(status), OrderStatus.Expected);
        if (olderThan is not null && !IsoDuration.TryParse(olderThan, out age))
            errors.Add(nameof(olderThan), IsoDuration.Expected);
        errors.CheckLimit(limit, MaxLimit);
        if (errors.Any)
            return errors.ToProblem();

        var orders = db.Orders.AsNoTracking();
        if (shopper is not null)
            orders = orders.Where(order => order.ShopperId == shopper);
        if (state is not null)
            orders = orders.Where(order => order.CurrentState == state);
        if (olderThan is not null)
        {
            var unchangedSince = time.GetUtcNow() - age;
            orders = orders.Where(order => order.UpdatedAt < unchangedSince);
            if (state is null)
                orders = orders.Where(order => OrderStatus.OpenStates.Contains(order.CurrentState));
        }
        if (after is { } last)
            orders = orders.Where(order => order.CorrelationId < last);
        var found = await orders.OrderByDescending(order => order.CorrelationId).Take(limit + 1)
            .Select(order => new FoundOrder(order.CorrelationId, order.ShopperId, OrderStatus.Of(order.CurrentState), order.Reason,
                new(order.TotalAmount, order.Currency), order.SubmittedAt, order.UpdatedAt))
            .ToListAsync(cancellationToken);
        return TypedResults.Ok(found.ToPage(limit, order => order.Id.ToString()));
    }
}
