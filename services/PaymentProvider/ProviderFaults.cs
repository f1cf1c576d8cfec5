using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Shop.ServiceDefaults;

namespace Shop.PaymentProvider;

/// <summary>How often the provider fails whatever is asked of a payment, by chance; the section <c>Faults</c>.</summary>
internal sealed class FaultOptions
{
    /// <summary>The share of requests that are answered with 500: half of them were carried out all the same.</summary>
    [Range(0, 1)]
    public double Errors { get; set; }

    /// <summary>The share of requests that are carried out and never answered.</summary>
    [Range(0, 1)]
    public double Silence { get; set; }
}

/// <summary>Fails requests by chance, as a provider does that has a bad day.</summary>
internal sealed class ProviderFaults(IOptions<FaultOptions> options, Draining draining) : IEndpointFilter
{
    /// <inheritdoc />
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var chance = Random.Shared.NextDouble();
        if (chance < options.Value.Errors / 2)
            return Failure();
        var answer = await next(context);
        if (chance < options.Value.Errors)
            return Failure();
        if (chance >= options.Value.Errors + options.Value.Silence)
            return answer;
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(context.HttpContext.RequestAborted, draining.Over);
        await Task.Delay(Timeout.InfiniteTimeSpan, leaving.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        context.HttpContext.Abort();
        return TypedResults.Empty;
    }

    private static IResult Failure() => TypedResults.Problem("The provider has a bad day.", statusCode: StatusCodes.Status500InternalServerError);
}
