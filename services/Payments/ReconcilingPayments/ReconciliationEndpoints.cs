using Microsoft.AspNetCore.Http.HttpResults;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Payments.ReconcilingPayments;

/// <summary>Which payments are compared: those requested in this time; without it, in the last day.</summary>
/// <param name="From">From then on.</param>
/// <param name="To">Before then.</param>
public sealed record ReconciliationRequest(DateTimeOffset? From = null, DateTimeOffset? To = null);

/// <summary><c>POST /api/ops/payments/reconciliation</c>: operators compare our payments with the provider's ledger.</summary>
internal static class ReconciliationEndpoints
{
    private const string RetryAfterSeconds = "5";

    public static void MapReconcilingPayments(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapPost("/api/ops/payments/reconciliation", ReconcileAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("Compares our payments with the provider's ledger, and raises an alarm for each that differs.")
            .WithRequestExample("""{"from":"2026-11-28T00:00:00Z","to":"2026-11-29T00:00:00Z"}""")
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    private static async Task<Results<Ok<ReconciliationReport>, ValidationProblem, ProblemHttpResult>> ReconcileAsync(
        ReconciliationRequest request, Reconciliation reconciliation, HttpResponse response, TimeProvider time, CancellationToken cancellationToken)
    {
        var to = (request.To ?? time.GetUtcNow()).ToUniversalTime();
        var from = request.From?.ToUniversalTime() ?? (to > DateTimeOffset.MinValue.AddDays(1) ? to.AddDays(-1) : to);
        if (from >= to)
        {
            var errors = new ValidationErrors();
            errors.Add("from", "Must be before to.");
            return errors.ToProblem();
        }
        try
        {
            return TypedResults.Ok(await reconciliation.RunAsync(from, to, cancellationToken));
        }
        catch (Exception e) when (CallingProvider.PaymentProviderClient.IsNoAnswer(e) && !cancellationToken.IsCancellationRequested)
        {
            response.Headers.RetryAfter = RetryAfterSeconds;
            return TypedResults.Problem("The payment provider gives no ledger at the moment.", statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }
}
