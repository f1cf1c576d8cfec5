using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Shop.Payments.ScreeningPayments;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Payments.TryingRules;

/// <summary>Rules to be tried out over the stored payments.</summary>
/// <param name="From"><c>beginning</c>, an ISO 8601 time, or the place of a record of the topics <c>orders</c> and <c>payments</c>, as <c>orders/3/120</c>.</param>
/// <param name="Rules">The rules; what is left out is as it was delivered.</param>
public sealed record ReplayRequest(string From, RuleSet Rules);

/// <summary>How far the newest replay is, and what it found.</summary>
/// <param name="State"><c>waiting</c>, <c>running</c>, <c>done</c>, <c>cancelled</c> or <c>failed</c>.</param>
/// <param name="From">Where it began.</param>
/// <param name="Rules">The rules that are tried out.</param>
/// <param name="AskedAt">When it was asked for.</param>
/// <param name="AskedBy">By whom.</param>
/// <param name="Records">Records that were read so far.</param>
/// <param name="Of">Records that there are to read.</param>
/// <param name="Report">What was found; null before its end.</param>
/// <param name="Forgotten">Cards, shoppers, devices and addresses that were forgotten since others needed the room: where they came again they were new.</param>
/// <param name="Error">Why it has failed; null where it has not.</param>
public sealed record ReplayView(string State, string From, RuleSet Rules, DateTimeOffset AskedAt, string AskedBy, long Records, long Of, ComparisonReport? Report,
    long Forgotten = 0, string? Error = null);

/// <summary><c>/api/ops/fraud/replay</c>: operators try rules out over the payments of the past, before they decide anything.</summary>
internal static class ReplayEndpoints
{
    private const string Path = "/api/ops/fraud/replay", Progress = "How far the replay is.";

    public static void MapReplayingPayments(this IEndpointRouteBuilder endpoints)
    {
        var replay = endpoints.MapGroup(Path).RequireAuthorization(Policies.Operator);
        replay.MapPost("/", BeginAsync).WithSummary("Tries rules out over the stored payments.")
            .WithRequestExample("""{"from":"beginning","rules":{"holdAt":40}}""").WithLocation(Progress).ProducesProblem(StatusCodes.Status409Conflict);
        replay.MapGet("/", FindAsync).WithSummary("How far the newest replay is, and what the rules would have decided otherwise.")
            .ProducesProblem(StatusCodes.Status404NotFound);
        replay.MapDelete("/", CancelAsync).WithSummary("Has the replay at hand end.").WithLocation(Progress).ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<Results<Accepted<ReplayView>, ValidationProblem, ProblemHttpResult>> BeginAsync(
        ReplayRequest request, ClaimsPrincipal user, PaymentsDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        var errors = new ValidationErrors();
        if (!ReplayStart.TryParse(request.From, out _))
            errors.Add("from", "Must be beginning, a time with its offset, as 2026-11-26T10:00:00Z, or the topic, partition and offset of a record, as orders/3/120.");
        RuleSetValidation.AddTo(errors, request.Rules, "rules.");
        if (errors.Any)
            return errors.ToProblem();
        var now = time.GetUtcNow();
        var replay = new RuleReplay
        {
            Id = Guid.CreateVersion7(now),
            From = request.From,
            Rules = StoredRuleSet.Write(request.Rules),
            AskedAt = now,
            AskedBy = user.ShopperId(),
        };
        db.RuleReplays.Add(replay);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            return TypedResults.Problem("A replay is under way already: see how far it is, or cancel it.", statusCode: StatusCodes.Status409Conflict);
        }
        return TypedResults.Accepted(Path, View(replay));
    }

    private static async Task<Results<Ok<ReplayView>, ProblemHttpResult>> FindAsync(PaymentsDb db, CancellationToken cancellationToken) =>
        await db.RuleReplays.AsNoTracking().OrderByDescending(replay => replay.Id).FirstOrDefaultAsync(cancellationToken) is { } newest ? TypedResults.Ok(View(newest)) : NotFound();

    private static async Task<Results<Accepted, ProblemHttpResult>> CancelAsync(PaymentsDb db, CancellationToken cancellationToken) =>
        await db.RuleReplays.Where(replay => replay.EndedAt == null).ExecuteUpdateAsync(replay => replay.SetProperty(r => r.CancelRequested, true), cancellationToken) > 0
            ? TypedResults.Accepted(Path)
            : NotFound();

    private static ReplayView View(RuleReplay replay) => new(
        replay.State, replay.From, StoredRuleSet.Read(replay.Rules), replay.AskedAt, replay.AskedBy, replay.Records, replay.Of,
        replay.Report is { } report ? JsonSerializer.Deserialize(report, PaymentsJson.Default.ComparisonReport) : null, replay.Forgotten, replay.Error);

    private static ProblemHttpResult NotFound() => TypedResults.Problem("There is no such replay.", statusCode: StatusCodes.Status404NotFound);
}
