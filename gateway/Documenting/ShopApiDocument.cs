using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using Scalar.AspNetCore;
using Shop.Gateway.Edge;
using Shop.Gateway.Proxying;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Shop.Gateway.Documenting;

/// <summary><c>/openapi/v1.json</c>: all that can be asked through the gateway, from the services' own documents; and <c>/docs</c>, a page to try it. In Development only.</summary>
internal static class ShopApiDocument
{
    private const string Path = "/openapi/v1.json", Schemas = "#/components/schemas/";

    // Scalar's page sets itself up by a script and styles within it
    private const string PagePolicy = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>Maps both; the literal path comes before the gateway's own document, which is a part of it.</summary>
    public static void MapShopApiDocument(this WebApplication app)
    {
        if (!app.Environment.IsDevelopment())
            return;
        app.MapGet(Path, ReadAsync).AllowAnonymous().ExcludeFromDescription();
        // what it offers beside trying the API leads to its maker
        app.MapScalarApiReference("/docs", scalar => scalar.WithTitle("Shop").WithOpenApiRoutePattern(Path).DisableDefaultFonts().HideDeveloperTools().HideClientButton().DisableAgent().DisableMcp()).AllowAnonymous()
            .AddEndpointFilter(async (context, next) =>
            {
                context.HttpContext.Response.Headers.ContentSecurityPolicy = PagePolicy;
                return await next(context);
            });
    }

    private static async Task<Results<Ok<JsonObject>, ProblemHttpResult>> ReadAsync(IProxyStateLookup proxy, IHttpClientFactory clients, HttpResponse response,
        [FromKeyedServices("v1")] IOpenApiDocumentProvider own, IOptions<RateLimits> limits, CancellationToken cancellationToken)
    {
        var gateways = await own.GetOpenApiDocumentAsync(cancellationToken);
        var merged = JsonNode.Parse(await gateways.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1, cancellationToken))!.AsObject();
        merged["info"]!["title"] = "Shop";
        merged.Remove("tags");
        foreach (var (_, operations) in Object(merged, "paths"))
            Group(operations!, "gateway");
        var documents = await Task.WhenAll(proxy.GetClusters().OrderBy(cluster => cluster.ClusterId, StringComparer.Ordinal)
            .Select(async cluster => (Service: cluster.ClusterId, Document: await DocumentOfAsync(cluster, clients, cancellationToken))));
        if (documents.Where(service => service.Document is null).Select(service => service.Service).ToList() is { Count: > 0 } away)
        {
            response.Headers.RetryAfter = "1";
            return TypedResults.Problem($"Not there at the moment: {string.Join(", ", away)}.", statusCode: StatusCodes.Status503ServiceUnavailable);
        }
        foreach (var (service, document) in documents)
            Merge(merged, service, document!);
        DescribedLimits.AddTo(merged, limits.Value);
        return TypedResults.Ok(merged);
    }

    /// <summary>Adds the paths of a service that the gateway passes on, and what they refer to.</summary>
    private static void Merge(JsonObject merged, string service, JsonObject document)
    {
        var schemas = Object(Object(merged, "components"), "schemas");
        var renamed = new List<string>();
        foreach (var (name, schema) in Object(Object(document, "components"), "schemas"))
        {
            if (schemas[name] is { } known && !JsonNode.DeepEquals(known, schema))
                renamed.Add(name);
        }
        // two services' types of one name are two types
        var text = renamed.Aggregate(document.ToJsonString(), (json, name) => json.Replace($"\"{Schemas}{name}\"", $"\"{Schemas}{service}.{name}\"", StringComparison.Ordinal));
        document = JsonNode.Parse(text)!.AsObject();

        foreach (var (name, schema) in Object(Object(document, "components"), "schemas"))
            schemas[renamed.Contains(name) ? $"{service}.{name}" : name] = schema!.DeepClone();
        foreach (var (path, operations) in Object(document, "paths").Where(path => Routes.Reach(service, path.Key)))
        {
            Group(operations!, service);
            Object(merged, "paths")[path] = operations!.DeepClone();
        }
    }

    /// <summary>Puts what can be asked at a path under the name of who answers it.</summary>
    private static void Group(JsonNode operations, string service)
    {
        foreach (var (_, operation) in operations.AsObject().Where(operation => operation.Value is JsonObject))
            operation!["tags"] = new JsonArray(service);
    }

    private static JsonObject Object(JsonObject parent, string name)
    {
        if (parent[name] is not JsonObject child)
            parent[name] = child = [];
        return child;
    }

    private static async Task<JsonObject?> DocumentOfAsync(ClusterState service, IHttpClientFactory clients, CancellationToken cancellationToken)
    {
        using var client = clients.CreateClient(nameof(ShopApiDocument));
        client.Timeout = Timeout;
        foreach (var instance in service.Destinations.Values)
        {
            try
            {
                return await client.GetFromJsonAsync<JsonObject>(new Uri(new Uri(instance.Model.Config.Address), Path), cancellationToken);
            }
            catch (Exception failure) when (failure is HttpRequestException or System.Text.Json.JsonException || failure is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                // another may answer
            }
        }
        return null;
    }
}
