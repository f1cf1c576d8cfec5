using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Shop.Activity.StoringEvents;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Activity.ReadingEvents;

/// <summary>One event of the feed; <c>malformed</c> says that the record was no JSON and <c>data</c> is its text.</summary>
internal sealed record FeedEvent(string Type, DateTimeOffset At, string Topic, int Partition, long Offset, string Key, string Source,
    Guid Id, Guid? CausationId, RawJson? Data, bool Malformed)
{
    public static FeedEvent Of(StoredEvent stored) => new(
        stored.Type, stored.At, stored.Topic, stored.Partition, stored.Offset, stored.Key, stored.Source,
        stored.EventId, stored.CausationId, stored.Data is { } data ? new RawJson(data) : null, stored.Malformed);
}

/// <summary><c>GET /api/activity/feed</c>: the events of all topics, for operators.</summary>
internal static class FeedEndpoints
{
    private const int DefaultLimit = 50;
    private const int MaxLimit = 100;

    public static void MapFeed(this IEndpointRouteBuilder app) =>
        app.MapGet("/api/activity/feed", GetAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("The events of all topics, newest first.");

    private static async Task<Results<Ok<Page<FeedEvent>>, ValidationProblem>> GetAsync(
        long? after, ActivityDb db, CancellationToken cancellationToken, int limit = DefaultLimit)
    {
        var errors = new ValidationErrors();
        errors.CheckLimit(limit, MaxLimit);
        if (errors.Any)
            return errors.ToProblem();

        var events = db.Events.AsNoTracking();
        if (after is not null)
            events = events.Where(e => e.Position < after);
        var found = await events.OrderByDescending(e => e.Position).Take(limit + 1).ToListAsync(cancellationToken);
        return TypedResults.Ok(found.ToPage(limit, stored => stored.Position.ToString(CultureInfo.InvariantCulture), FeedEvent.Of));
    }
}
