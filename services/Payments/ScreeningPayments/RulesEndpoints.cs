using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;
using Npgsql;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Payments.ScreeningPayments;

/// <summary>The rules in force, with their version.</summary>
/// <param name="Version">0 for those of the configuration; it is in each decision.</param>
/// <param name="Rules">Their settings.</param>
/// <param name="Shadow">The version of the rules that are tried out beside them; null where none are.</param>
public sealed record RulesView(int Version, RuleSet Rules, int? Shadow);

/// <summary><c>/api/ops/fraud/rules</c>: operators see and change the rules without a restart.</summary>
internal static partial class RulesEndpoints
{
    public static void MapScreeningPayments(this IEndpointRouteBuilder endpoints)
    {
        var rules = endpoints.MapGroup("/api/ops/fraud/rules").RequireAuthorization(Policies.Operator);
        rules.MapGet("/", async (LiveRules live, PaymentsDb db, HttpResponse response, CancellationToken cancellationToken) =>
                View(await live.CurrentAsync(db, cancellationToken), await NewestAsync(db, cancellationToken), response))
            .WithSummary("The rules by which payments are screened, with weights and thresholds; their version is the ETag, too.").WithETag();
        rules.MapPut("/", SetAsync)
            .WithSummary("Sets the rules, from the next batch on, in every instance; with If-Match only in place of the version that was read. What is left out is as it was delivered.")
            .WithRequestExample("""{"holdAt":60,"declineAt":95}""").WithIfMatch().WithETag()
            .ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status412PreconditionFailed);
    }

    private static async Task<Results<Ok<RulesView>, ValidationProblem, ProblemHttpResult>> SetAsync(
        RuleSet rules, [FromHeader(Name = IfMatch.Header)] string? ifMatch, HttpResponse response, ClaimsPrincipal user, LiveRules live, PaymentsDb db, TimeProvider time, ILogger<LiveRules> logger, CancellationToken cancellationToken)
    {
        var errors = new ValidationErrors();
        RuleSetValidation.AddTo(errors, rules);
        var wanted = IfMatch.Parse(ifMatch, errors);
        if (errors.Any)
            return errors.ToProblem();
        var before = await NewestAsync(db, cancellationToken);
        if (!wanted.Includes(TagOf(before)))
            return TypedResults.Problem("The rules were changed by somebody else: read them again.", statusCode: StatusCodes.Status412PreconditionFailed);
        var stored = new StoredRules { Version = before + 1, Rules = StoredRuleSet.Write(rules), SetAt = time.GetUtcNow(), SetBy = user.ShopperId() };
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
        return View(await live.CurrentAsync(db, cancellationToken), stored.Version, response);
    }

    /// <summary>The version that was set last: not the one in force where that cannot be read here.</summary>
    private static async Task<int> NewestAsync(PaymentsDb db, CancellationToken cancellationToken) =>
        await db.ScreeningRules.MaxAsync(stored => (int?)stored.Version, cancellationToken) ?? 0;

    private static Ok<RulesView> View(CurrentRules rules, int newest, HttpResponse response)
    {
        response.GetTypedHeaders().ETag = TagOf(newest);
        return TypedResults.Ok(new RulesView(rules.Live.Version, rules.Live.Rules, rules.Shadow?.Version));
    }

    private static EntityTagHeaderValue TagOf(int version) => new($"\"{version}\"");

    [LoggerMessage(EventName = "ScreeningRulesSet", Level = LogLevel.Warning, Message = "Version {Version} of the screening rules was set by {Operator}")]
    private static partial void RulesSet(ILogger logger, int version, string @operator);
}
