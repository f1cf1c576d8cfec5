using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Shop.ServiceDefaults.OpenApi;

/// <summary>A request body that an endpoint takes, shown in its document.</summary>
internal sealed record RequestExample(string Json)
{
    public JsonNode? Parse() => JsonNode.Parse(Json);
}

/// <summary>A header that an endpoint reads.</summary>
internal sealed record RequestHeader(string Name, string Description, bool IsRequired)
{
    /// <summary>The most characters; null where that is not limited, or its type says it.</summary>
    public int? MaxLength { get; init; }

    /// <summary>What its characters are, as a regular expression (ECMA-262).</summary>
    public string? Pattern { get; init; }
}

/// <summary>A header that is given with every answer of some statuses.</summary>
internal sealed record ResponseHeader(string Name, string Description, IReadOnlyList<int> Statuses);

/// <summary>An answer that is a problem, and when it is given.</summary>
internal sealed record DescribedProblem(int Status, string Description);

/// <summary>What endpoints say of themselves beyond ASP.NET Core's own metadata.</summary>
public static class EndpointDescriptions
{
    /// <summary>Shows <paramref name="json"/> in the OpenAPI document as an example of the request's body.</summary>
    public static TBuilder WithRequestExample<TBuilder>(this TBuilder endpoint, string json) where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new RequestExample(json));

    /// <summary>Describes a header that the endpoint reads, whether it is bound to a parameter or not.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="name">The header.</param>
    /// <param name="description">What it is for.</param>
    /// <param name="isRequired">Whether a request without it is refused.</param>
    public static TBuilder WithRequestHeader<TBuilder>(this TBuilder endpoint, string name, string description, bool isRequired = false) where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new RequestHeader(name, description, isRequired));

    /// <summary>Describes <see cref="IdempotencyKeyHeader"/>, which the endpoint requires.</summary>
    public static TBuilder WithIdempotencyKey<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new RequestHeader(IdempotencyKeyHeader.Name, "Chosen by who asks: a new one for each thing to be done, and the same one to try that again. " +
            "What was done under it is answered as it was then; 422 where it was used for something else.", IsRequired: true)
        {
            MaxLength = IdempotencyKeyHeader.MaxLength,
            Pattern = "^[!-~]+$",
        });

    /// <summary>Describes the header that <see cref="IfMatch"/> reads.</summary>
    public static TBuilder WithIfMatch<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithRequestHeader(IfMatch.Header, "The versions for which the request is, as `ETag` gave them: what was changed since is not changed (412). Without it the request is for any.");

    /// <summary>Tells that answers with what was asked for have its version in <c>ETag</c>.</summary>
    public static TBuilder WithETag<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new ResponseHeader(HeaderNames.ETag, "The version of what the answer shows.", [StatusCodes.Status200OK, StatusCodes.Status201Created]));

    /// <summary>Tells that answers to what was made or begun have <c>Location</c>.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="leadsTo">What is there.</param>
    public static TBuilder WithLocation<TBuilder>(this TBuilder endpoint, string leadsTo) where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new ResponseHeader(HeaderNames.Location, leadsTo, [StatusCodes.Status201Created, StatusCodes.Status202Accepted, StatusCodes.Status302Found]));

    /// <summary>Tells of an answer that is a problem.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="status">Its status.</param>
    /// <param name="description">When it is given, and what is to be done then.</param>
    public static TBuilder WithProblem<TBuilder>(this TBuilder endpoint, int status, string description) where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new DescribedProblem(status, description));
}
