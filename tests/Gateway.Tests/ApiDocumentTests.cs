using System.Net;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.Hosting;

namespace Shop.Gateway.Tests;

/// <summary>What is known of the gateway's routes.</summary>
public sealed class ApiDocumentTests
{
    [Fact]
    public async Task Every_route_is_decided_about_and_the_gateways_own_are_described()
    {
        await using var gateway = new GatewayUnderTest(Environments.Development);
        Assert.Empty(RouteRules.Undecided(gateway.Services));
        // the other routes are the services', which describe them
        Assert.Empty(await RouteRules.UndescribedAsync(gateway.Services, gateway.Client, route => route.Metadata.GetMetadata<IEndpointSummaryMetadata>() is not null
            || route.RoutePattern.RawText!.StartsWith("/api/dev", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Outside_Development_there_is_no_document()
    {
        await using var production = new GatewayUnderTest(Environments.Production);
        Assert.Empty(RouteRules.Undecided(production.Services));
        using var response = await production.GetAsync("/openapi/v1.json");
        await Problem.ReadAsync(response, HttpStatusCode.NotFound);
    }
}
