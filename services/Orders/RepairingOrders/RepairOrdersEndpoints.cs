using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Messaging.Workers;
using Shop.Orders.ReadingOrders;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Orders.RepairingOrders;

/// <summary><c>GET /api/ops/orders/stuck</c> and <c>POST /api/ops/orders/{id}/repair</c>: for operators.</summary>
public static partial class RepairOrdersEndpoints
{
    private const int DefaultLimit = 50;
    private const int MaxLimit = 200;

    /// <summary>Adds what the endpoints need, and the metric of stuck orders.</summary>
    public static void AddRepairingOrders(this IHostApplicationBuilder builder)
    {
        builder.Services.AddScoped<StuckOrders>();
        builder.Services.AddPeriodicWorker<StuckOrdersMonitor>("stuck orders monitor");
    }

    /// <summary>Maps the endpoints.</summary>
    public static void MapRepairingOrders(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/api/ops/orders/stuck", ListAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("Orders that wait longer than they should.");
        endpoints.MapPost("/api/ops/orders/{id:guid}/repair", RepairAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("Has an order say again what it has said, so that the others answer again.")
            .WithLocation("The order's timeline, which shows what came of it.")
            .ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<Results<Ok<Page<StuckOrder>>, ValidationProblem>> ListAsync(StuckOrders orders, CancellationToken cancellationToken,
        Guid? after = null, int limit = DefaultLimit)
    {
        var errors = new ValidationErrors();
        errors.CheckLimit(limit, MaxLimit);
        if (errors.Any)
            return errors.ToProblem();
        var found = await orders.ListAsync(after, limit + 1, cancellationToken);
        return TypedResults.Ok(found.ToPage(limit, order => order.Id.ToString()));
    }

    /// <summary>
    /// Has the order say again what it has said, under new ids, so that Inventory and Payments answer with what they hold. It may be asked
    /// for any order at any time, and again. 202 says that it was asked; the timeline shows what came of it.
    /// </summary>
    private static async Task<Results<Accepted<OrderRepairView>, NotFound, ProblemHttpResult>> RepairAsync(
        Guid id, ClaimsPrincipal user, OrdersDb db, ILogger<Order> logger, CancellationToken cancellationToken)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // locked, as the state machine locks it: what is repeated here comes before whatever the order says next
        var found = await db.Orders.FromSql($"SELECT * FROM orders WHERE correlation_id = {id} FOR UPDATE").AsNoTracking().ToListAsync(cancellationToken);
        if (found is not [var order])
            return TypedResults.NotFound();
        var status = OrderStatus.Of(order.CurrentState);
        var words = OrderRepair.WordsOf(order);
        if (words.Count == 0)
            return TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, detail: $"The order is {status}: nobody owes it an answer.");

        foreach (var word in words)
            db.Publish(word);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        LogRepaired(logger, id, status, user.ShopperId());
        return TypedResults.Accepted($"/api/orders/{id}/timeline", new OrderRepairView(id, status, [.. words.Select(TypeOf)]));
    }

    private static string TypeOf(object @event) => Topics.Orders.TryGetEvent(@event.GetType(), out var type)
        ? type.Name
        : throw new ArgumentException($"{@event.GetType().Name} is not on the topic {Topics.Orders}", nameof(@event));

    [LoggerMessage(EventName = "OrderRepaired", Level = LogLevel.Information, Message = "Order {OrderId}, which is {Status}, says again what it has said; {OperatorId} asked for it")]
    private static partial void LogRepaired(ILogger logger, Guid orderId, string status, string operatorId);
}
