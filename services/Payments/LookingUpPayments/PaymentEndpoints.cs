using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Payments.ReviewingPayments;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Payments.LookingUpPayments;

/// <summary>A payment, with the grounds of what was decided about it.</summary>
/// <param name="PaymentId">The payment.</param>
/// <param name="OrderId">Its order.</param>
/// <param name="ShopperId">Who pays.</param>
/// <param name="Amount">What is to be paid.</param>
/// <param name="State">How far it is.</param>
/// <param name="RequestedAt">When it was requested.</param>
/// <param name="ChangedAt">When its state was entered.</param>
/// <param name="DeclineReason">Why it was declined; null where it was not.</param>
/// <param name="Score">What screening found, from 0 (harmless) to 1 (fraud); null for payments from before there was screening.</param>
/// <param name="Rules">The rules that fired, with what they saw.</param>
/// <param name="RulesVersion">The version of the rules that decided.</param>
/// <param name="Review">What an operator has decided; null where none has.</param>
/// <param name="Attempts">Calls to the provider that were begun in this state.</param>
/// <param name="LastError">Why the last of them gave no answer.</param>
public sealed record PaymentView(Guid PaymentId, Guid OrderId, string ShopperId, Money Amount, PaymentState State, DateTimeOffset RequestedAt, DateTimeOffset ChangedAt, string? DeclineReason,
    double? Score, IReadOnlyList<FiredRule> Rules, int? RulesVersion, DecidedReview? Review, int Attempts, string? LastError);

/// <summary><c>/api/ops/payments</c>: operators look at a payment, to tell its shopper why it was declined.</summary>
internal static class PaymentEndpoints
{
    public static void MapLookingUpPayments(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/api/ops/payments/{id:guid}", FindAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("A payment, by its id or its order's: how far it is, and the grounds of what was decided about it.").ProducesProblem(StatusCodes.Status404NotFound);

    private static async Task<Results<Ok<PaymentView>, ProblemHttpResult>> FindAsync(Guid id, PaymentsDb db, CancellationToken cancellationToken)
    {
        if (await db.Payments.AsNoTracking().FirstOrDefaultAsync(payment => payment.PaymentId == id || payment.OrderId == id, cancellationToken) is not { } found)
            return TypedResults.Problem("There is no such payment.", statusCode: StatusCodes.Status404NotFound);
        var review = await db.Reviews.AsNoTracking().SingleOrDefaultAsync(review => review.PaymentId == found.PaymentId, cancellationToken);
        return TypedResults.Ok(new PaymentView(found.PaymentId, found.OrderId, found.ShopperId, found.Money, found.State, found.RequestedAt, found.ChangedAt, found.DeclineReason,
            found.Score, found.Rules, found.RulesVersion, review is null ? null : ReviewEndpoints.View(review), found.Attempts, found.LastError));
    }
}
