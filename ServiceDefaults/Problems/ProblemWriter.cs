using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;

namespace Shop.ServiceDefaults.Problems;

/// <summary>
/// Writes ProblemDetails whatever the client accepts: ASP.NET Core's own writer leaves a client that asks for
/// <c>text/html</c> with plain text.
/// </summary>
internal sealed class ProblemWriter : IProblemDetailsWriter
{
    private const string RetryAfterSeconds = "1";

    /// <summary>ASP.NET Core knows the types of RFC 9110, and this one is another's.</summary>
    private const string TooManyRequests = "https://tools.ietf.org/html/rfc6585#section-4";

    public bool CanWrite(ProblemDetailsContext context) => true;

    public async ValueTask WriteAsync(ProblemDetailsContext context)
    {
        var http = context.HttpContext;
        var problem = context.ProblemDetails;
        var status = problem.Status ??= http.Response.StatusCode;
        if (status == StatusCodes.Status413PayloadTooLarge && problem is not HttpValidationProblemDetails)
            problem = TooLarge(problem);
        if (status == StatusCodes.Status503ServiceUnavailable && http.Response.Headers.RetryAfter.Count == 0)
            http.Response.Headers.RetryAfter = RetryAfterSeconds;
        if (status == StatusCodes.Status429TooManyRequests)
            problem.Type ??= TooManyRequests;
        // what makes the result fills in type and title, as it does for the problems that endpoints return
        _ = TypedResults.Problem(problem);
        problem.Title ??= ReasonPhrases.GetReasonPhrase(status);
        problem.Extensions["traceId"] = Activity.Current?.Id ?? http.TraceIdentifier;

        http.Response.StatusCode = status;
        await http.Response.WriteAsJsonAsync(
            problem, problem.GetType(), options: null, contentType: "application/problem+json", http.RequestAborted);
    }

    private static HttpValidationProblemDetails TooLarge(ProblemDetails problem) => new()
    {
        Status = problem.Status,
        Title = ReasonPhrases.GetReasonPhrase(StatusCodes.Status413PayloadTooLarge),
        Errors = { ["body"] = [$"Must not be longer than {ServiceDefaultsExtensions.MaxRequestBodyBytes} bytes."] },
    };
}
