using System.Net.ServerSentEvents;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.OpenApi;

namespace Shop.ServiceDefaults.OpenApi;

/// <summary><c>/openapi/v1.json</c>: what the process's own endpoints take and answer; in Development only, and made when it is asked for.</summary>
internal static class ApiDocument
{
    private const string Bearer = "bearer";
    private const string ProblemType = "application/problem+json";

    public static void AddApiDocument(this IHostApplicationBuilder builder, bool authentication)
    {
        if (!builder.Environment.IsDevelopment())
            return;

        builder.Services.AddOpenApi(options =>
        {
            options.AddDocumentTransformer((document, _, _) =>
            {
                document.Info.Title = $"Shop: {builder.Environment.ApplicationName}";
                // the one that answers is not the one that clients outside reach, which is the gateway
                document.Servers?.Clear();
                if (authentication)
                    document.AddComponent(Bearer, new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = Bearer, BearerFormat = "JWT" });
                return Task.CompletedTask;
            });
            options.AddSchemaTransformer((schema, context, _) =>
            {
                DescribeTexts(schema, context);
                DescribeStreamed(schema, context);
                return Task.CompletedTask;
            });
            options.AddOperationTransformer(DescribeAsync);
        });
    }

    public static void MapApiDocument(this WebApplication app)
    {
        // there is one document: others are not there, as any other path is not
        if (app.Environment.IsDevelopment())
            app.MapOpenApi("/openapi/{documentName:regex(^v1$)}.json").AllowAnonymous();
    }

    /// <summary>A converter of our own reads texts (<see cref="StrictJson"/>), and the generator does not know what such a one reads.</summary>
    private static void DescribeTexts(OpenApiSchema schema, OpenApiSchemaTransformerContext context)
    {
        var type = context.JsonTypeInfo;
        if (type.Type == typeof(string))
            schema.Type = JsonSchemaType.String | (context.JsonPropertyInfo is { IsGetNullable: true } ? JsonSchemaType.Null : default);
        else if (type.ElementType == typeof(string) && type.Kind == JsonTypeInfoKind.Enumerable)
            schema.Items ??= new OpenApiSchema { Type = JsonSchemaType.String };
    }

    /// <summary>An event of a stream as it is sent (HTML Standard, section 9.2, server-sent events), not as .NET's type of it has it.</summary>
    private static void DescribeStreamed(OpenApiSchema schema, OpenApiSchemaTransformerContext context)
    {
        const string Data = "data", Id = "id";
        var type = context.JsonTypeInfo.Type;
        if (!type.IsGenericType || type.GetGenericTypeDefinition() != typeof(SseItem<>) || schema.Properties is not { } members)
            return;
        foreach (var name in members.Keys.Where(name => name != Data).ToList())
            members.Remove(name);
        members[Id] = new OpenApiSchema { Type = JsonSchemaType.String };
        schema.Required = new HashSet<string> { Data, Id };
        schema.Description = "A server-sent event: the JSON in its lines `data`, and its `id`.";
    }

    private static async Task DescribeAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        operation.OperationId ??= OperationIds.Of(context.Description.HttpMethod!, context.Description.RelativePath!);
        var responses = operation.Responses ??= [];
        if (metadata.OfType<IAuthorizeData>().Any() && !metadata.OfType<IAllowAnonymous>().Any())
        {
            operation.Security = [new() { [new OpenApiSecuritySchemeReference(Bearer, context.Document)] = [] }];
            responses.TryAdd("401", new OpenApiResponse());
            // a token of nobody (without sub) as well as one that lacks the role
            responses.TryAdd("403", new OpenApiResponse());
        }

        foreach (var problem in metadata.OfType<DescribedProblem>())
            responses[$"{problem.Status}"] = new OpenApiResponse { Description = problem.Description };
        foreach (var status in AnswersOfAll(operation, context))
            responses.TryAdd($"{status}", new OpenApiResponse());
        var schemaOfProblem = await context.GetOrCreateSchemaAsync(typeof(ProblemDetails), cancellationToken: cancellationToken);
        foreach (var (status, response) in responses.Where(response => response.Key[0] is '4' or '5'))
        {
            // the status code pages write the body that a bare result has not got
            if (response is OpenApiResponse { Content: null or { Count: 0 } } bare)
                bare.Content = new Dictionary<string, OpenApiMediaType> { [ProblemType] = new() { Schema = schemaOfProblem } };
            if (string.IsNullOrEmpty(response.Description))
                response.Description = ReasonPhrases.GetReasonPhrase(int.Parse(status, System.Globalization.CultureInfo.InvariantCulture));
        }

        foreach (var stream in responses.Values.Where(response => response.Content?.ContainsKey(ServerSentEvents.ContentType) == true))
            stream.Description = "A stream of server-sent events, each of which the schema describes; lines that begin with a colon are signs of life.";
        DescribedHeaders.AddRequestHeaders(operation, metadata.OfType<RequestHeader>());
        DescribedHeaders.AddResponseHeaders(responses, metadata.OfType<ResponseHeader>());

        if (metadata.OfType<RequestExample>().LastOrDefault() is { } example && operation.RequestBody?.Content is { } bodies)
        {
            foreach (var body in bodies.Values)
                body.Example = example.Parse();
        }
    }

    /// <summary>What the defaults answer in an endpoint's place, whichever it is: to a request that cannot be read, and while the database is away.</summary>
    private static IEnumerable<int> AnswersOfAll(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        yield return StatusCodes.Status400BadRequest;
        if (context.Description.ParameterDescriptions.Any(parameter => parameter.RouteInfo?.Constraints?.Any() == true))
            yield return StatusCodes.Status404NotFound;
        if (operation.RequestBody is not null)
        {
            yield return StatusCodes.Status413PayloadTooLarge;
            yield return StatusCodes.Status415UnsupportedMediaType;
        }
        yield return StatusCodes.Status503ServiceUnavailable;
    }
}
