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

/// <summary>Rules that are tried out, and what they would have decided otherwise so far.</summary>
/// <param name="Version">Counts sets of rules that were tried out.</param>
/// <param name="Rules">Their settings.</param>
/// <param name="SetAt">Since when.</param>
/// <param name="SetBy">By whom.</param>
/// <param name="Report">What was found.</param>
public sealed record ShadowView(int Version, RuleSet Rules, DateTimeOffset SetAt, string SetBy, ComparisonReport Report);

/// <summary><c>/api/ops/fraud/shadow</c>: operators try rules out beside those in force, before they decide anything.</summary>
internal static partial class ShadowEndpoints
{
    public static void MapTryingRules(this IEndpointRouteBuilder endpoints)
    {
        var shadow = endpoints.MapGroup("/api/ops/fraud/shadow").RequireAuthorization(Policies.Operator);
        shadow.MapGet("/", FindAsync).WithSummary("What the rules that are tried out would have decided otherwise.")
            .ProducesProblem(StatusCodes.Status404NotFound);
        shadow.MapPut("/", SetAsync).WithSummary("Tries rules out beside those in force, from the next batch on, in place of others that were.")
            .WithRequestExample("""{"holdAt":40}""").ProducesProblem(StatusCodes.Status409Conflict);
        shadow.MapDelete("/", EndAsync).WithSummary("Ends the trial.").ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<Results<Ok<ShadowView>, ProblemHttpResult>> FindAsync(PaymentsDb db, CancellationToken cancellationToken) =>
        await CurrentAsync(db.ShadowRules.AsNoTracking(), cancellationToken) is { } current ? TypedResults.Ok(await ViewAsync(db, current, cancellationToken)) : NotFound();

    private static async Task<Results<Ok<ShadowView>, ValidationProblem, ProblemHttpResult>> SetAsync(
        RuleSet rules, ClaimsPrincipal user, PaymentsDb db, TimeProvider time, ILogger<ShadowRules> logger, CancellationToken cancellationToken)
    {
        var errors = new ValidationErrors();
        RuleSetValidation.AddTo(errors, rules);
        if (errors.Any)
            return errors.ToProblem();
        var now = time.GetUtcNow();
        if (await CurrentAsync(db.ShadowRules, cancellationToken) is { } before)
            before.EndedAt = now;
        var current = new ShadowRules
        {
            Version = (await db.ShadowRules.MaxAsync(shadow => (int?)shadow.Version, cancellationToken) ?? 0) + 1,
            Rules = StoredRuleSet.Write(rules),
            SetAt = now,
            SetBy = user.ShopperId(),
        };
        db.ShadowRules.Add(current);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            return TypedResults.Problem("Somebody else has set rules to try out at the same moment.", statusCode: StatusCodes.Status409Conflict);
        }
        ShadowRulesSet(logger, current.Version, current.SetBy);
        return TypedResults.Ok(await ViewAsync(db, current, cancellationToken));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> EndAsync(PaymentsDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await CurrentAsync(db.ShadowRules, cancellationToken) is not { } current)
            return NotFound();
        current.EndedAt = time.GetUtcNow();
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.NoContent();
    }

    private static Task<ShadowRules?> CurrentAsync(IQueryable<ShadowRules> rules, CancellationToken cancellationToken) =>
        rules.Where(shadow => shadow.EndedAt == null).OrderByDescending(shadow => shadow.Version).FirstOrDefaultAsync(cancellationToken);

    private static async Task<ShadowView> ViewAsync(PaymentsDb db, ShadowRules current, CancellationToken cancellationToken)
    {
        var decisions = await db.ShadowDecisionCounts.Where(count => count.Version == current.Version).GroupBy(count => new { count.Live, count.Shadow })
            .Select(counts => new { counts.Key, Payments = counts.Sum(count => count.Payments) }).ToListAsync(cancellationToken);
        var rules = await db.ShadowRuleCounts.Where(count => count.Version == current.Version).GroupBy(count => count.Rule)
            .Select(counts => new RuleCount(counts.Key, counts.Sum(count => count.Live), counts.Sum(count => count.Shadow))).ToListAsync(cancellationToken);
        var examples = await db.ShadowExamples.Where(example => example.Version == current.Version).OrderBy(example => example.PaymentId)
            .Select(example => example.Decision).ToListAsync(cancellationToken);
        return new(current.Version, StoredRuleSet.Read(current.Rules), current.SetAt, current.SetBy, RuleComparison.Report(
            decisions.Select(count => new DifferenceCount(Enum.Parse<Verdict>(count.Key.Live), Enum.Parse<Verdict>(count.Key.Shadow), count.Payments)),
            rules, examples.Select(example => JsonSerializer.Deserialize(example, PaymentsJson.Default.DifferentDecision)!)));
    }

    private static ProblemHttpResult NotFound() => TypedResults.Problem("No rules are tried out.", statusCode: StatusCodes.Status404NotFound);

    [LoggerMessage(EventName = "ShadowRulesSet", Level = LogLevel.Information, Message = "Version {Version} of rules to try out was set by {Operator}")]
    private static partial void ShadowRulesSet(ILogger logger, int version, string @operator);
}
