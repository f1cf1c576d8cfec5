using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http.HttpResults;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Gateway.ShowingFlow;

/// <summary><c>GET /api/ops/flow</c>: what the control room's picture draws.</summary>
internal static class FlowEndpoint
{
    private const string Path = "/api/ops/flow";

    public static void AddFlow(this WebApplicationBuilder builder) =>
        builder.Services.AddSingleton<ServiceAnswers>().AddSingleton<FlowReader>();

    public static void MapFlow(this WebApplication app) =>
        app.MapGet(Path, ReadAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("How events move through the shop: services, topics, consumer groups with their lag, and what waits. A service that does not answer is away, and its figures are those of asOf.");

    private static async Task<Ok<ShopFlow>> ReadAsync(FlowReader flow, HttpRequest request, CancellationToken cancellationToken) =>
        TypedResults.Ok(await flow.ReadAsync(AuthenticationHeaderValue.TryParse(request.Headers.Authorization, out var caller) ? caller : null, cancellationToken));
}
