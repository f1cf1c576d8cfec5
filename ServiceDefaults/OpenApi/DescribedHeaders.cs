using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;

namespace Shop.ServiceDefaults.OpenApi;

/// <summary>Puts the headers of requests and answers into operations.</summary>
public static class DescribedHeaders
{
    /// <summary>What <c>Retry-After</c> says.</summary>
    public const string RetryAfter = "After how many seconds to ask again.";

    /// <summary>Whoever answers with one of these says when to come again.</summary>
    private static readonly ResponseHeader WhenToComeAgain = new(HeaderNames.RetryAfter, RetryAfter, [StatusCodes.Status429TooManyRequests, StatusCodes.Status503ServiceUnavailable]);

    /// <summary>Describes what the endpoint reads: its parameters, and what is bound to none.</summary>
    internal static void AddRequestHeaders(OpenApiOperation operation, IEnumerable<RequestHeader> headers)
    {
        foreach (var header in headers)
        {
            var parameters = operation.Parameters ??= [];
            if (parameters.FirstOrDefault(known => known.In == ParameterLocation.Header && string.Equals(known.Name, header.Name, StringComparison.OrdinalIgnoreCase)) is not OpenApiParameter parameter)
            {
                parameter = new() { Name = header.Name, In = ParameterLocation.Header };
                parameters.Add(parameter);
            }
            parameter.Description = header.Description;
            parameter.Required = header.IsRequired;
            if (parameter.Schema is null || header.MaxLength is not null)
                parameter.Schema = new OpenApiSchema { Type = JsonSchemaType.String, MinLength = header.MaxLength is null ? null : 1, MaxLength = header.MaxLength, Pattern = header.Pattern };
        }
    }

    /// <summary>Describes what is given with the answers.</summary>
    internal static void AddResponseHeaders(OpenApiResponses responses, IEnumerable<ResponseHeader> headers)
    {
        foreach (var header in headers.Append(WhenToComeAgain))
        {
            foreach (var status in header.Statuses)
            {
                if (!responses.TryGetValue($"{status}", out var answer) || answer is not OpenApiResponse response)
                    continue;
                response.Headers ??= new Dictionary<string, IOpenApiHeader>();
                response.Headers[header.Name] = new OpenApiHeader
                {
                    Description = header.Description,
                    Required = true,
                    Schema = new OpenApiSchema { Type = header == WhenToComeAgain ? JsonSchemaType.Integer : JsonSchemaType.String },
                };
            }
        }
    }
}
