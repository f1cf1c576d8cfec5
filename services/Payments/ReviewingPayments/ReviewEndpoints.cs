using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Shop.Contracts;
using Shop.Payments.ScreeningPayments;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Payments.ReviewingPayments;

/// <summary>A payment that waits for an operator.</summary>
/// <param name="PaymentId">The payment.</param>
/// <param name="OrderId">Its order.</param>
/// <param name="ShopperId">Who pays.</param>
/// <param name="Amount">What is to be paid.</param>
/// <param name="Score">From 0 (harmless) to 1 (fraud).</param>
/// <param name="Rules">The rules that fired, with what they saw.</param>
/// <param name="HeldAt">Since when it waits.</param>
/// <param name="Deadline">When its order is cancelled, if nobody has decided.</param>
public sealed record ReviewView(Guid PaymentId, Guid OrderId, string ShopperId, Money Amount, double Score, IReadOnlyList<FiredRule> Rules,
    DateTimeOffset HeldAt, DateTimeOffset Deadline);

/// <summary>What an operator decides.</summary>
public enum ReviewDecision
{
    /// <summary>The provider is asked.</summary>
    Approve,

    /// <summary>The payment is declined, and its order cancelled.</summary>
    Reject,
}

/// <summary>The body of a decision.</summary>
/// <param name="Decision">The decision.</param>
/// <param name="Note">Why, for those who look at it later.</param>
public sealed record ReviewRequest(ReviewDecision Decision, string? Note = null);

/// <summary>A decision that was made.</summary>
/// <param name="PaymentId">The payment.</param>
/// <param name="Decision">The decision.</param>
/// <param name="Note">What was noted.</param>
/// <param name="DecidedBy">Who decided.</param>
/// <param name="DecidedAt">When.</param>
public sealed record DecidedReview(Guid PaymentId, ReviewDecision Decision, string? Note, string DecidedBy, DateTimeOffset DecidedAt);

/// <summary><c>/api/ops/reviews</c>: operators decide about held payments, each once.</summary>
internal static partial class ReviewEndpoints
{
    private const int MaxLimit = 200, MaxNote = 1_000;

    public static void MapReviewingPayments(this IEndpointRouteBuilder endpoints)
    {
        var reviews = endpoints.MapGroup("/api/ops/reviews").RequireAuthorization(Policies.Operator);
        reviews.MapGet("/", ListAsync).WithSummary("Payments that wait for an operator, oldest first.");
        reviews.MapGet("/{paymentId:guid}", FindAsync).WithSummary("What was decided about a payment, by whom and when.")
            .ProducesProblem(StatusCodes.Status404NotFound);
        reviews.MapPost("/{paymentId:guid}", DecideAsync).WithSummary("Decides about a held payment, once.")
            .WithRequestExample("""{"decision":"approve","note":"known to us"}""")
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<Results<Ok<Page<ReviewView>>, ValidationProblem>> ListAsync(
        PaymentsDb db, IOptions<ReviewOptions> options, CancellationToken cancellationToken, Guid? after = null, int limit = 50)
    {
        var errors = new ValidationErrors();
        errors.CheckLimit(limit, MaxLimit);
        if (errors.Any)
            return errors.ToProblem();
        var held = db.Payments.AsNoTracking().Where(payment => payment.State == PaymentState.Held);
        if (after is { } last)
            held = held.Where(payment => payment.PaymentId > last);
        var found = await held.OrderBy(payment => payment.PaymentId).Take(limit + 1).ToListAsync(cancellationToken);
        return TypedResults.Ok(found.ToPage(limit, payment => payment.PaymentId.ToString(), payment => new ReviewView(payment.PaymentId, payment.OrderId, payment.ShopperId,
            payment.Money, payment.Score ?? 0, payment.Rules, payment.ChangedAt, payment.ChangedAt + options.Value.Deadline)));
    }

    private static async Task<Results<Ok<DecidedReview>, ProblemHttpResult>> FindAsync(Guid paymentId, PaymentsDb db, CancellationToken cancellationToken) =>
        await db.Reviews.AsNoTracking().SingleOrDefaultAsync(review => review.PaymentId == paymentId, cancellationToken) is { } review
            ? TypedResults.Ok(View(review))
            : TypedResults.Problem("Nothing was decided about such a payment.", statusCode: StatusCodes.Status404NotFound);

    /// <summary>Under the payment's lock: of several operators, a cancellation and a deadline one is first, and the others find it decided.</summary>
    private static async Task<Results<Ok<DecidedReview>, ValidationProblem, ProblemHttpResult>> DecideAsync(
        Guid paymentId, ReviewRequest request, ClaimsPrincipal user, PaymentsDb db, TimeProvider time, ILogger<Review> logger, CancellationToken cancellationToken)
    {
        var errors = new ValidationErrors();
        if (request.Note is { Length: > MaxNote })
            errors.Add("note", $"Must have at most {MaxNote} characters.");
        if (request.Note?.Contains('\0', StringComparison.Ordinal) is true)
            errors.Add("note", "Must not have the character U+0000.");
        if (!Enum.IsDefined(request.Decision))
            errors.Add("decision", "Must be approve or reject.");
        if (errors.Any)
            return errors.ToProblem();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var found = await db.Payments.FromSql($"SELECT * FROM payments WHERE payment_id = {paymentId} FOR UPDATE").ToListAsync(cancellationToken);
        if (found is not [var payment])
            return TypedResults.Problem("There is no such payment.", statusCode: StatusCodes.Status404NotFound);
        var isApproved = request.Decision == ReviewDecision.Approve;
        if (PaymentDecider.Review(payment, isApproved) is not { } decision)
        {
            return await db.Reviews.AsNoTracking().SingleOrDefaultAsync(review => review.PaymentId == paymentId, cancellationToken) switch
            {
                { } earlier when earlier.IsApproved == isApproved => TypedResults.Ok(View(earlier)),
                { } earlier => Conflict($"{earlier.DecidedBy} has {(earlier.IsApproved ? "approved" : "rejected")} it already."),
                _ => Conflict($"It does not wait for a decision: it is {payment.State.ToString().ToLowerInvariant()}."),
            };
        }
        var review = new Review
        {
            PaymentId = paymentId,
            IsApproved = isApproved,
            Note = request.Note,
            DecidedBy = user.ShopperId(),
            DecidedAt = time.GetUtcNow(),
        };
        db.Reviews.Add(review);
        payment.Apply(decision, review.DecidedAt);
        if (decision.Event is { } told)
            db.Publish(told, payment.CauseId, payment.TraceParent);
        if (isApproved && payment.HistoryKeys is { } keys)
        {
            // what was taken for suspicious taints nobody any more
            await db.Histories.LoadAsync(keys.All(), cancellationToken);
            db.Histories.Mark(paymentId, keys, ObservationMarks.Approved, review.DecidedAt);
        }
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        Decided(logger, paymentId, request.Decision, review.DecidedBy);
        return TypedResults.Ok(View(review));
    }

    /// <summary>A decision as operators see it.</summary>
    internal static DecidedReview View(Review review) =>
        new(review.PaymentId, review.IsApproved ? ReviewDecision.Approve : ReviewDecision.Reject, review.Note, review.DecidedBy, review.DecidedAt);

    private static ProblemHttpResult Conflict(string detail) => TypedResults.Problem(detail, statusCode: StatusCodes.Status409Conflict);

    [LoggerMessage(EventName = "PaymentReviewed", Level = LogLevel.Information, Message = "Payment {PaymentId}: {Decision} by {Operator}")]
    private static partial void Decided(ILogger logger, Guid paymentId, ReviewDecision decision, string @operator);
}
