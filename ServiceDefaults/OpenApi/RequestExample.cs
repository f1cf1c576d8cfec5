using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;

namespace Shop.ServiceDefaults.OpenApi;

/// <summary>A request body that an endpoint takes, shown in its document.</summary>
internal sealed record RequestExample(string Json)
{
    public JsonNode? Parse() => JsonNode.Parse(Json);
}

/// <summary>What endpoints say of themselves beyond ASP.NET Core's own metadata.</summary>
public static class EndpointDescriptions
{
    /// <summary>Shows <paramref name="json"/> in the OpenAPI document as an example of the request's body.</summary>
    public static TBuilder WithRequestExample<TBuilder>(this TBuilder endpoint, string json) where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new RequestExample(json));
}
