using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Activity.ListingAlarms;

/// <summary>An alarm, as an operator sees it.</summary>
internal sealed record AlarmView(Guid Id, string Kind, string Service, string Subject, DateTimeOffset RaisedAt, DateTimeOffset? ClearedAt, string Detail);

/// <summary><c>GET /api/ops/alarms</c>: what is or was not as it should be, for operators.</summary>
internal static class AlarmEndpoints
{
    private const int DefaultLimit = 50, MaxLimit = 200;

    public static void MapListingAlarms(this IEndpointRouteBuilder app) =>
        app.MapGet("/api/ops/alarms", GetAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("Alarms of all services, newest first; open=true leaves out those that are over, open=false those that are not.");

    private static async Task<Results<Ok<Page<AlarmView>>, ValidationProblem>> GetAsync(
        ActivityDb db, CancellationToken cancellationToken, bool? open = null, long? after = null, int limit = DefaultLimit)
    {
        var errors = new ValidationErrors();
        errors.CheckLimit(limit, MaxLimit);
        if (errors.Any)
            return errors.ToProblem();
        var alarms = db.Alarms.AsNoTracking();
        if (open is { } isOpen)
            alarms = alarms.Where(alarm => alarm.ClearedAt == null == isOpen);
        if (after is not null)
            alarms = alarms.Where(alarm => alarm.Position < after);
        var page = await alarms.OrderByDescending(alarm => alarm.Position).Take(limit + 1).ToListAsync(cancellationToken);
        return TypedResults.Ok(page.ToPage(limit, alarm => alarm.Position.ToString(CultureInfo.InvariantCulture),
            alarm => new AlarmView(alarm.AlarmId, alarm.Kind, alarm.Service, alarm.Subject, alarm.RaisedAt, alarm.ClearedAt, alarm.Detail)));
    }
}
