using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Shop.Activity.StoringEvents;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Activity.ReadingEvents;

/// <summary>One event of the feed, <c>trace</c> the one in which it was published; <c>malformed</c> says that the record was no JSON and <c>data</c> is its text.</summary>
internal sealed record FeedEvent(string Type, DateTimeOffset At, string Topic, int Partition, long Offset, string Key, string Source,
    Guid Id, Guid? CausationId, string? Trace, RawJson? Data, bool Malformed)
{
    public static FeedEvent Of(StoredEvent stored) => new(
        stored.Type, stored.At, stored.Topic, stored.Partition, stored.Offset, stored.Key, stored.Source,
        stored.EventId, stored.CausationId, stored.TraceId, stored.Data is { } data ? new RawJson(data) : null, stored.Malformed);
}

/// <summary><c>GET /api/activity/feed</c> and <c>/timeline</c>: the events of all topics but the streams, for operators.</summary>
internal static class FeedEndpoints
{
    private const int DefaultLimit = 50;
    private const int MaxLimit = 100;

    public static void MapFeed(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/activity/feed", FeedAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("The events of all topics, newest first: all of them, or those of an order, a shopper's orders, a product, a trace.");
        app.MapGet("/api/activity/timeline", TimelineAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("The events of an order, a shopper's orders, a product or a trace, in the order in which they came.");
    }

    private static async Task<Results<Ok<Page<FeedEvent>>, ValidationProblem>> FeedAsync(
        ActivityDb db, CancellationToken cancellationToken, Guid? order = null, string? shopper = null, string? sku = null, string? trace = null, long? after = null, int limit = DefaultLimit)
    {
        var filter = new EventFilter(order, shopper, sku, trace);
        if (Check(filter, limit) is { Any: true } errors)
            return errors.ToProblem();
        var events = (await filter.InAsync(db, cancellationToken)).AsNoTracking();
        if (after is not null)
            events = events.Where(e => e.Position < after);
        return TypedResults.Ok(PageOf(await events.OrderByDescending(e => e.Position).Take(limit + 1).ToListAsync(cancellationToken), limit));
    }

    private static async Task<Results<Ok<Page<FeedEvent>>, ValidationProblem>> TimelineAsync(
        ActivityDb db, CancellationToken cancellationToken, Guid? order = null, string? shopper = null, string? sku = null, string? trace = null, long? after = null, int limit = DefaultLimit)
    {
        var filter = new EventFilter(order, shopper, sku, trace);
        var errors = Check(filter, limit);
        if (filter.IsEmpty)
            errors.Add("order", "Say whose timeline: order, shopper, sku or trace.");
        if (errors.Any)
            return errors.ToProblem();
        var events = (await filter.InAsync(db, cancellationToken)).AsNoTracking();
        if (after is not null)
            events = events.Where(e => e.Position > after);
        return TypedResults.Ok(PageOf(await events.OrderBy(e => e.Position).Take(limit + 1).ToListAsync(cancellationToken), limit));
    }

    private static ValidationErrors Check(EventFilter filter, int limit)
    {
        var errors = new ValidationErrors();
        filter.Check(errors);
        errors.CheckLimit(limit, MaxLimit);
        return errors;
    }

    private static Page<FeedEvent> PageOf(List<StoredEvent> found, int limit) =>
        found.ToPage(limit, stored => stored.Position.ToString(CultureInfo.InvariantCulture), FeedEvent.Of);
}
