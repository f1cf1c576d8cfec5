using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Gateway.SwitchingFaults;

/// <summary>How slow the payment provider is.</summary>
/// <param name="AnswerDelaySeconds">How long every authorisation's answer takes at least, 0 to 60; 0 for as long as its token says.</param>
public sealed record ProviderPace(double AnswerDelaySeconds);

/// <summary><c>/api/ops/faults</c>: what an operator can have go wrong, for trying what the shop does then. In Development only.</summary>
internal static class FaultEndpoints
{
    private const string Provider = "payment-provider", Path = "/api/ops/faults/" + Provider, ProviderPath = "/v1/pace";
    private const double MaxSeconds = 60;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    public static void AddFaults(this WebApplicationBuilder builder)
    {
        if (builder.Environment.IsDevelopment())
            builder.Services.AddHttpClient(Provider, client => (client.BaseAddress, client.Timeout) = (new($"http://{Provider}"), Timeout)).AddServiceDiscovery();
    }

    /// <summary>Elsewhere than in Development the paths do not exist, and the gateway does not know the provider.</summary>
    public static void MapFaults(this WebApplication app)
    {
        if (!app.Environment.IsDevelopment())
            return;
        app.MapGet(Path, ReadAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("How slow the payment provider is; in Development only.")
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        app.MapPut(Path, SetAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("Makes the payment provider slow, or quick again; in Development only.")
            .WithRequestExample("""{"answerDelaySeconds":3}""")
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<Results<Ok<ProviderPace>, ProblemHttpResult>> ReadAsync(IHttpClientFactory clients, HttpResponse response, CancellationToken cancellationToken) =>
        await AskAsync(clients, (client, cancellation) => client.GetFromJsonAsync<ProviderPace>(ProviderPath, cancellation), cancellationToken) is { } pace
            ? TypedResults.Ok(pace)
            : Away(response);

    private static async Task<Results<Ok<ProviderPace>, ValidationProblem, ProblemHttpResult>> SetAsync(
        ProviderPace pace, IHttpClientFactory clients, HttpResponse response, CancellationToken cancellationToken)
    {
        if (pace.AnswerDelaySeconds is not (>= 0 and <= MaxSeconds))
        {
            var errors = new ValidationErrors();
            errors.Add("answerDelaySeconds", $"Must be 0 to {MaxSeconds}.");
            return errors.ToProblem();
        }
        return await AskAsync(clients, async (client, cancellation) =>
        {
            using var answer = await client.PutAsJsonAsync(ProviderPath, pace, cancellation);
            return answer.EnsureSuccessStatusCode().StatusCode == HttpStatusCode.NoContent ? pace : null;
        }, cancellationToken) is { } set
            ? TypedResults.Ok(set)
            : Away(response);
    }

    /// <summary>What the provider answers; null where it does not.</summary>
    private static async Task<ProviderPace?> AskAsync(IHttpClientFactory clients, Func<HttpClient, CancellationToken, Task<ProviderPace?>> ask, CancellationToken cancellationToken)
    {
        using var client = clients.CreateClient(Provider);
        try
        {
            return await ask(client, cancellationToken);
        }
        catch (Exception failure) when (failure is HttpRequestException or JsonException || failure is OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private static ProblemHttpResult Away(HttpResponse response)
    {
        response.Headers.RetryAfter = "1";
        return TypedResults.Problem("The payment provider does not answer.", statusCode: StatusCodes.Status503ServiceUnavailable);
    }
}
