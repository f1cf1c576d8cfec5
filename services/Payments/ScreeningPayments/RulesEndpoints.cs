using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Payments.ScreeningPayments;

/// <summary>The rules in force, with their version.</summary>
/// <param name="Version">0 for those of the configuration; it is in each decision.</param>
/// <param name="Rules">Their settings.</param>
public sealed record RulesView(int Version, RuleSet Rules);

/// <summary><c>/api/ops/fraud/rules</c>: operators see and change the rules without a restart.</summary>
internal static partial class RulesEndpoints
{
    public static void MapScreeningPayments(this IEndpointRouteBuilder endpoints)
    {
        var rules = endpoints.MapGroup("/api/ops/fraud/rules").RequireAuthorization(Policies.Operator);
        rules.MapGet("/", async (LiveRules live, PaymentsDb db, CancellationToken cancellationToken) => TypedResults.Ok(View((await live.CurrentAsync(db, cancellationToken)).Live)))
            .WithSummary("The rules by which payments are screened, with weights and thresholds.");
        rules.MapPut("/", SetAsync)
            .WithSummary("Sets the rules, from the next batch on, in every instance. What is left out is as it was delivered.")
            .ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<Results<Ok<RulesView>, ValidationProblem, ProblemHttpResult>> SetAsync(
        RuleSet rules, ClaimsPrincipal user, LiveRules live, PaymentsDb db, TimeProvider time, ILogger<LiveRules> logger, CancellationToken cancellationToken)
    {
        var errors = new ValidationErrors();
        RuleSetValidation.AddTo(errors, rules);
        if (errors.Any)
            return errors.ToProblem();
        var before = await db.ScreeningRules.MaxAsync(stored => (int?)stored.Version, cancellationToken) ?? 0;
        var stored = new StoredRules { Version = before + 1, Rules = JsonSerializer.Serialize(rules, PaymentsJson.Default.RuleSet), SetAt = time.GetUtcNow(), SetBy = user.ShopperId() };
        db.ScreeningRules.Add(stored);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            return TypedResults.Problem("Somebody else has set the rules at the same moment.", statusCode: StatusCodes.Status409Conflict);
        }
        RulesSet(logger, stored.Version, stored.SetBy);
        return TypedResults.Ok(View((await live.CurrentAsync(db, cancellationToken)).Live));
    }

    private static RulesView View(VersionedRules rules) => new(rules.Version, rules.Rules);

    [LoggerMessage(EventName = "ScreeningRulesSet", Level = LogLevel.Warning, Message = "Version {Version} of the screening rules was set by {Operator}")]
    private static partial void RulesSet(ILogger logger, int version, string @operator);
}
