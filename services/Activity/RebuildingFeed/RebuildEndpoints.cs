using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Shop.Activity.Warehouse;
using Shop.Messaging.Workers;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Activity.RebuildingFeed;

/// <summary>What is to be rebuilt.</summary>
/// <param name="From"><c>beginning</c>, <c>archive</c> or an ISO 8601 time.</param>
internal sealed record RebuildRequest(string From);

/// <summary>How far the newest rebuild is.</summary>
/// <param name="State">What it does; <c>done</c> or <c>cancelled</c> at its end, and <c>none</c> where there was none.</param>
/// <param name="Events">Events that were read for the new tables.</param>
/// <param name="Of">Events that there are, as far as is known.</param>
/// <param name="EventsPerSecond">How fast it was so far.</param>
/// <param name="SecondsLeft">How long filling will still take; null while nothing is known.</param>
/// <param name="Differences">By topic and partition, and by table for those of orders: rows that only the old tables have, that only the new ones have, and that differ; null until they were compared.</param>
internal sealed record RebuildView(string State, long Events, long Of, double EventsPerSecond, double? SecondsLeft, RawJson? Differences)
{
    public static RebuildView From(Rebuild? rebuild)
    {
        if (rebuild is null)
            return new("none", 0, 0, 0, null, null);
        var perSecond = rebuild.FillingSeconds > 0 ? rebuild.Events / rebuild.FillingSeconds : 0;
        double? left = RebuildStates.IsEnd(rebuild.State) ? 0 : perSecond > 0 ? Math.Max(0, rebuild.Of - rebuild.Events) / perSecond : null;
        return new(rebuild.State, rebuild.Events, rebuild.Of, Math.Round(perSecond), left is { } seconds ? Math.Round(seconds, 1) : null, rebuild.Differences is { } json ? new(json) : null);
    }
}

/// <summary><c>/api/ops/activity/rebuild</c>: the feed is made again from the events, while it goes on serving.</summary>
internal static class RebuildEndpoints
{
    public const string Beginning = "beginning", Archive = "archive";

    private const string Path = "/api/ops/activity/rebuild", Progress = "How far the rebuild is.";

    public static void AddRebuildingFeed(this IHostApplicationBuilder builder) =>
        builder.Services.AddSingleton<ArchivedEvents>().AddWorker<FeedRebuilder>("feed rebuilder");

    public static void MapRebuildingFeed(this IEndpointRouteBuilder app)
    {
        app.MapPost(Path, BeginAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("Makes the feed again: from the topics' beginning, from the archive and the topics, or from a time on.")
            .WithRequestExample("""{"from":"beginning"}""").WithLocation(Progress).ProducesProblem(StatusCodes.Status409Conflict);
        app.MapGet(Path, GetAsync).RequireAuthorization(Policies.Operator).WithSummary("How far the newest rebuild is, and what it found to be different.");
        app.MapDelete(Path, CancelAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("Has the rebuild at hand end without an effect.").WithLocation(Progress).ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<Results<Accepted<RebuildView>, ValidationProblem, ProblemHttpResult>> BeginAsync(
        RebuildRequest request, ActivityDb db, IServiceProvider services, TimeProvider time, CancellationToken cancellationToken)
    {
        var errors = new ValidationErrors();
        if (request.From is not (Beginning or Archive) && !IsoTime.TryParse(request.From, out _))
            errors.Add("from", $"Must be {Beginning}, {Archive} or a time with its offset, as 2026-11-26T10:00:00Z.");
        else if (request.From == Archive && services.GetService<IWarehouse>() is null)
            errors.Add("from", "There is no warehouse here (Warehouse__Directory, Warehouse__S3__Bucket).");
        if (errors.Any)
            return errors.ToProblem();
        var rebuild = new Rebuild { Id = Guid.CreateVersion7(time.GetUtcNow()), From = request.From, RequestedAt = time.GetUtcNow() };
        db.Rebuilds.Add(rebuild);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, detail: "A rebuild is under way already: see how far it is, or cancel it.");
        }
        return TypedResults.Accepted(Path, RebuildView.From(rebuild));
    }

    private static async Task<Ok<RebuildView>> GetAsync(ActivityDb db, CancellationToken cancellationToken) =>
        TypedResults.Ok(RebuildView.From(await db.Rebuilds.AsNoTracking().OrderByDescending(rebuild => rebuild.Id).FirstOrDefaultAsync(cancellationToken)));

    private static async Task<Results<Accepted, NotFound>> CancelAsync(ActivityDb db, CancellationToken cancellationToken) =>
        await db.Rebuilds.Where(rebuild => rebuild.EndedAt == null).ExecuteUpdateAsync(rebuild => rebuild.SetProperty(r => r.CancelRequested, true), cancellationToken) > 0
            ? TypedResults.Accepted(Path)
            : TypedResults.NotFound();
}
