using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Shop.ServiceDefaults.Problems;

/// <summary>Every error leaves as ProblemDetails (RFC 9457).</summary>
internal static class ProblemResponses
{
    public static void AddProblemResponses(this IServiceCollection services)
    {
        // before AddProblemDetails: the first writer that can, writes
        services.AddSingleton<IProblemDetailsWriter, ProblemWriter>();
        services.AddProblemDetails();
        services.AddExceptionHandler<RequestExceptionHandler>();
        // thrown rather than answered with a bare 400, so that the handler can name the field
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
    }
}
