using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.PaymentProvider;

/// <summary>A payment, as the provider's API shows it.</summary>
/// <param name="Id">The payment's id.</param>
/// <param name="Status">To an authorisation what it came to (<c>authorized</c>, <c>declined</c>), however often it is
/// repeated; to everything else the status now.</param>
/// <param name="DeclineReason"><c>card_declined</c>, <c>unknown_token</c>, <c>voided</c>, or null.</param>
/// <param name="Reference">The merchant's reference; null for a payment that was voided before it came.</param>
/// <param name="Amount">The amount; null as the reference.</param>
/// <param name="Currency">ISO 4217; null as the reference.</param>
public sealed record PaymentResponse(Guid Id, PaymentStatus Status, string? DeclineReason, string? Reference, decimal? Amount, string? Currency);

/// <summary>A part of the ledger.</summary>
/// <param name="Items">The entries, oldest first.</param>
/// <param name="Next">What to pass as <c>after</c> for the next part; null at the end.</param>
public sealed record LedgerPage(IReadOnlyList<LedgerEntry> Items, long? Next);

/// <summary>The provider's HTTP API; README.md describes it for its users.</summary>
internal static class PaymentEndpoints
{
    private const int MaxLedgerPage = 10_000;

    public static void MapPayments(this IEndpointRouteBuilder endpoints)
    {
        var payments = endpoints.MapGroup("/v1/payments").AddEndpointFilter<ProviderFaults>();
        payments.MapPost("/", AuthorizeAsync)
            .WithSummary("Authorises a payment; the Idempotency-Key is its id.")
            .WithRequestExample("""{"amount":19.80,"currency":"EUR","token":"tok_visa","reference":"order 42"}""")
            .WithRequestHeader(IdempotencyKeyHeader.Name, "The payment's id: asked again under it the answer is the same, and nothing is done.", isRequired: true)
            .WithLocation("The payment.")
            .Produces<PaymentResponse>(StatusCodes.Status201Created).Produces<PaymentResponse>()
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status422UnprocessableEntity).ProducesProblem(StatusCodes.Status500InternalServerError);
        payments.MapGet("/{id:guid}", FindAsync)
            .WithSummary("A payment as it is.").ProducesProblem(StatusCodes.Status404NotFound);
        payments.MapPost("/{id:guid}/capture", (Guid id, PaymentBook book) => ChangeAsync(id, PaymentAction.Capture, book))
            .WithSummary("Takes the authorised amount.")
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        payments.MapPost("/{id:guid}/void", (Guid id, PaymentBook book) => ChangeAsync(id, PaymentAction.Void, book))
            .WithSummary("Lets the authorised amount go.")
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        payments.MapPost("/{id:guid}/refund", (Guid id, PaymentBook book) => ChangeAsync(id, PaymentAction.Refund, book))
            .WithSummary("Gives the captured amount back.")
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        endpoints.MapGet("/v1/ledger", ReadLedger)
            .WithSummary("What was done, oldest first: for audits.");
        endpoints.MapGet("/v1/pace", (ProviderPace pace) => TypedResults.Ok(new PaceRequest(pace.AnswerDelay.TotalSeconds)))
            .WithSummary("How long every authorisation's answer takes at least.");
        endpoints.MapPut("/v1/pace", SetPace)
            .WithSummary("Slows every authorisation's answer down, for trying what the shop does then.")
            .WithRequestExample("""{"answerDelaySeconds":3}""")
            .ProducesValidationProblem();
    }

    private static async Task<IResult> AuthorizeAsync(
        [FromHeader(Name = IdempotencyKeyHeader.Name)] Guid idempotencyKey,
        PaymentRequest request,
        PaymentBook book,
        ProviderPace pace,
        TimeProvider time,
        Draining draining,
        HttpContext context)
    {
        if (Validate(request) is { } invalid)
            return invalid;

        // not cancelled when the client goes: the money is set aside all the same, as with a real provider
        var (outcome, payment) = await book.AuthorizeAsync(idempotencyKey, request);
        switch (outcome)
        {
            case Outcome.Failed:
                return TypedResults.Problem("tok_flaky fails twice.", statusCode: StatusCodes.Status500InternalServerError);
            case Outcome.KeyReused:
                return TypedResults.Problem(
                    "The Idempotency-Key was used with another body.", statusCode: StatusCodes.Status422UnprocessableEntity);
        }

        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, draining.Over);
        var answerDelay = pace.Slowed(TokenBehavior.Of(request.Token).AnswerDelay);
        try
        {
            await DelayAsync(payment!, answerDelay, time, leaving.Token);
        }
        catch (OperationCanceledException) when (leaving.IsCancellationRequested)
        {
            // the client left, or the process has drained: either way there is no answer
            context.Abort();
            return TypedResults.Empty;
        }

        var response = Authorization(payment!);
        return outcome == Outcome.Done ? TypedResults.Created($"/v1/payments/{response.Id}", response) : TypedResults.Ok(response);
    }

    private static async Task<Results<Ok<PaymentResponse>, ProblemHttpResult>> FindAsync(Guid id, PaymentBook book) =>
        await book.FindAsync(id) is { } payment ? TypedResults.Ok(Response(payment)) : NotFound();

    private static async Task<Results<Ok<PaymentResponse>, ProblemHttpResult>> ChangeAsync(Guid id, PaymentAction action, PaymentBook book) =>
        await book.ChangeAsync(id, action) switch
        {
            (Outcome.NotFound, _) => NotFound(),
            (Outcome.Conflict, { } payment) => TypedResults.Problem(
                $"The payment is {payment.Status.ToString().ToLowerInvariant()}.", statusCode: StatusCodes.Status409Conflict),
            (Outcome.Refused, _) => TypedResults.Problem("The authorisation cannot be captured.", statusCode: StatusCodes.Status422UnprocessableEntity),
            (_, { } payment) => TypedResults.Ok(Response(payment)),
            _ => throw new System.Diagnostics.UnreachableException(),
        };

    private static Results<Ok<LedgerPage>, ValidationProblem> ReadLedger(Ledger ledger, long after = 0, int limit = 1000)
    {
        var errors = new ValidationErrors();
        if (after < 0)
            errors.Add("after", "Must be 0 or more.");
        errors.CheckLimit(limit, MaxLedgerPage);
        if (errors.Any)
            return errors.ToProblem();

        var items = ledger.ReadAfter(after, limit);
        return TypedResults.Ok(new LedgerPage(items, items.Count == limit ? items[^1].Sequence : null));
    }

    private static Results<NoContent, ValidationProblem> SetPace(PaceRequest request, ProviderPace pace)
    {
        if (request.AnswerDelaySeconds is < 0 or > 60)
        {
            var errors = new ValidationErrors();
            errors.Add("answerDelaySeconds", "Must be 0 to 60.");
            return errors.ToProblem();
        }

        pace.AnswerDelay = TimeSpan.FromSeconds(request.AnswerDelaySeconds);
        return TypedResults.NoContent();
    }

    private static ValidationProblem? Validate(PaymentRequest request)
    {
        var errors = new ValidationErrors();
        if (request.Amount is <= 0 or > 999_999_999.99m || decimal.Round(request.Amount, 2) != request.Amount)
            errors.Add("amount", "Must be 0.01 to 999999999.99, with at most two decimals.");
        if (request.Currency.Length != 3 || !request.Currency.All(char.IsAsciiLetterUpper))
            errors.Add("currency", "Must be three capital letters (ISO 4217).");
        if (request.Token.Length is 0 or > 64)
            errors.Add("token", "Must have 1 to 64 characters.");
        if (request.Reference.Length is 0 or > 64)
            errors.Add("reference", "Must have 1 to 64 characters.");
        return errors.Any ? errors.ToProblem() : null;
    }

    /// <summary>Counted from the decision, so that a client that gave up and asks again is not kept waiting anew.</summary>
    private static Task DelayAsync(Payment payment, TimeSpan delay, TimeProvider time, CancellationToken cancellation)
    {
        if (delay == Timeout.InfiniteTimeSpan)
            return Task.Delay(delay, time, cancellation);
        var rest = payment.DecidedAt + delay - time.GetUtcNow();
        return rest > TimeSpan.Zero ? Task.Delay(rest, time, cancellation) : Task.CompletedTask;
    }

    private static PaymentResponse Authorization(Payment payment) => payment switch
    {
        { Request: null } => Response(payment) with { Status = PaymentStatus.Declined, DeclineReason = "voided" },
        { DeclineReason: null } => Response(payment) with { Status = PaymentStatus.Authorized },
        _ => Response(payment),
    };

    private static PaymentResponse Response(Payment payment) => new(
        payment.Id, payment.Status, payment.DeclineReason, payment.Request?.Reference, payment.Request?.Amount, payment.Request?.Currency);

    private static ProblemHttpResult NotFound() => TypedResults.Problem(statusCode: StatusCodes.Status404NotFound);
}
