using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Shop.ServiceDefaults.Authentication;
using Shop.ServiceDefaults.OpenApi;
using Shop.Testing.Routes;

namespace Shop.ServiceDefaults.Tests;

/// <summary><c>/openapi/v1.json</c>.</summary>
public sealed class ApiDocumentTests
{
    [Fact]
    public async Task An_endpoint_is_described_with_its_answers_its_example_and_who_may_use_it()
    {
        await using var app = await StartAsync(Environments.Development);
        using var client = new HttpClient { BaseAddress = new(app.Urls.Single()) };
        Assert.Empty(await RouteRules.UndescribedAsync(app.Services, client));

        using var document = JsonDocument.Parse(await client.GetStringAsync("/openapi/v1.json", TestContext.Current.CancellationToken));
        var order = document.RootElement.GetProperty("paths").GetProperty("/orders").GetProperty("post");
        Assert.Equal(["200", "400", "401", "403", "413", "415", "503"], order.GetProperty("responses").EnumerateObject().Select(response => response.Name).Order());
        Assert.Equal("bearer", order.GetProperty("security")[0].EnumerateObject().Single().Name);
        Assert.Equal("bearer", document.RootElement.GetProperty("components").GetProperty("securitySchemes").GetProperty("bearer").GetProperty("scheme").GetString());
        var body = order.GetProperty("requestBody").GetProperty("content").GetProperty("application/json");
        Assert.Equal("Wien", body.GetProperty("example").GetProperty("shipTo").GetProperty("city").GetString());
        Assert.Equal("#/components/schemas/Order", body.GetProperty("schema").GetProperty("$ref").GetString());
        var city = document.RootElement.GetProperty("components").GetProperty("schemas").GetProperty("Address").GetProperty("properties").GetProperty("city");
        Assert.Equal("string", city.GetProperty("type").GetString());
        var note = document.RootElement.GetProperty("components").GetProperty("schemas").GetProperty("Order").GetProperty("properties").GetProperty("note");
        Assert.Equal(["null", "string"], note.GetProperty("type").EnumerateArray().Select(type => type.GetString()).Order());
    }

    [Fact]
    public async Task Headers_of_requests_and_answers_are_described()
    {
        await using var app = await StartAsync(Environments.Development);
        var paths = await PathsAsync(app);

        // read without a parameter, and bound to one
        foreach (var path in (string[])["/keyed", "/bound"])
        {
            var key = Assert.Single(paths.GetProperty(path).GetProperty("post").GetProperty("parameters").EnumerateArray());
            Assert.Equal(("Idempotency-Key", "header", true), (key.GetProperty("name").GetString(), key.GetProperty("in").GetString(), key.GetProperty("required").GetBoolean()));
            Assert.NotEmpty(key.GetProperty("description").GetString()!);
            var schema = key.GetProperty("schema");
            Assert.Equal(("string", 1, 128), (schema.GetProperty("type").GetString(), schema.GetProperty("minLength").GetInt32(), schema.GetProperty("maxLength").GetInt32()));
        }
        var made = paths.GetProperty("/keyed").GetProperty("post").GetProperty("responses");
        Assert.Equal(("Location", "The thing."), Described(Assert.Single(made.GetProperty("201").GetProperty("headers").EnumerateObject())));
        Assert.Equal("Retry-After", Assert.Single(made.GetProperty("503").GetProperty("headers").EnumerateObject()).Name);
        Assert.False(made.GetProperty("400").TryGetProperty("headers", out _));

        var changed = paths.GetProperty("/bound").GetProperty("post").GetProperty("responses");
        Assert.Equal("ETag", Assert.Single(changed.GetProperty("200").GetProperty("headers").EnumerateObject()).Name);
        Assert.Equal("There are too many.", changed.GetProperty("429").GetProperty("description").GetString());
        Assert.Equal("integer", changed.GetProperty("429").GetProperty("headers").GetProperty("Retry-After").GetProperty("schema").GetProperty("type").GetString());
        Assert.True(changed.GetProperty("429").GetProperty("content").TryGetProperty("application/problem+json", out _));

        static (string, string?) Described(JsonProperty header) => (header.Name, header.Value.GetProperty("description").GetString());
    }

    [Fact]
    public async Task The_events_of_a_stream_are_described_as_they_are_sent()
    {
        await using var app = await StartAsync(Environments.Development);
        using var document = JsonDocument.Parse(await DocumentAsync(app));
        var schemas = document.RootElement.GetProperty("components").GetProperty("schemas");
        foreach (var path in (string[])["/written", "/returned"])
        {
            var reference = document.RootElement.GetProperty("paths").GetProperty(path).GetProperty("get").GetProperty("responses").GetProperty("200")
                .GetProperty("content").GetProperty("text/event-stream").GetProperty("schema").GetProperty("$ref").GetString()!;
            var members = schemas.GetProperty(reference.Split('/')[^1]).GetProperty("properties");
            Assert.Equal(["data", "id"], members.EnumerateObject().Select(member => member.Name).Order());
            Assert.Contains("\"#/components/schemas/Address\"", members.GetProperty("data").GetRawText(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("POST", "api/orders", "postOrders")]
    [InlineData("GET", "api/orders/{id:guid}", "getOrdersById")]
    [InlineData("POST", "/api/ops/inventory/dead-letters/{id:guid}/redrive/", "postOpsInventoryDeadLettersByIdRedrive")]
    [InlineData("PUT", "v1/pace", "putV1Pace")]
    [InlineData("GET", "api/files/{**path}", "getFilesByPath")]
    public void An_operation_is_named_after_its_method_and_route(string method, string route, string id) => Assert.Equal(id, OperationIds.Of(method, route));

    [Fact]
    public async Task A_name_that_an_endpoint_was_given_is_its_operations()
    {
        await using var app = await StartAsync(Environments.Development);
        var paths = await PathsAsync(app);
        Assert.Equal("findThing", paths.GetProperty("/written").GetProperty("get").GetProperty("operationId").GetString());
        Assert.Equal("getOrdersById", paths.GetProperty("/orders/{id}").GetProperty("get").GetProperty("operationId").GetString());
    }

    [Fact]
    public async Task A_document_that_there_is_not_is_a_problem_as_any_other_path()
    {
        await using var app = await StartAsync(Environments.Development);
        using var client = new HttpClient { BaseAddress = new(app.Urls.Single()) };
        using var response = await client.GetAsync("/openapi/v2.json", TestContext.Current.CancellationToken);
        await Problem.ReadAsync(response, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Outside_Development_there_is_none()
    {
        await using var app = await StartAsync(Environments.Production);
        using var client = new HttpClient { BaseAddress = new(app.Urls.Single()) };
        using var response = await client.GetAsync("/openapi/v1.json", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    private static async Task<WebApplication> StartAsync(string environment)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["urls"] = "http://127.0.0.1:0",
            ["Authentication:SigningKey"] = environment == Environments.Development ? TinyService.SigningKey : null,
            ["Authentication:Authority"] = "https://authority.example",
            ["Authentication:Audience"] = "shop",
        });
        builder.AddServiceDefaults();
        var app = builder.Build();
        app.MapServiceDefaults();
        app.MapPost("/orders", Results<Ok<TinyService.Order>, ValidationProblem> (TinyService.Order order) => TypedResults.Ok(order))
            .RequireAuthorization(Policies.Operator)
            .WithSummary("Takes an order.")
            .WithRequestExample("""{"lines":[],"shipTo":{"city":"Wien"}}""");
        app.MapGet("/orders/{id:guid}", (Guid id) => id).AllowAnonymous().WithSummary("An order.");
        app.MapPost("/keyed", Created<string> (HttpRequest request) => TypedResults.Created("/things/1", request.Headers["Idempotency-Key"].ToString())).AllowAnonymous().WithSummary("Makes a thing.")
            .WithIdempotencyKey().WithLocation("The thing.");
        app.MapPost("/bound", ([FromHeader(Name = "Idempotency-Key")] string key) => TypedResults.Ok(key)).AllowAnonymous().WithSummary("Changes a thing.")
            .WithIdempotencyKey().WithETag().WithProblem(StatusCodes.Status429TooManyRequests, "There are too many.");
        app.MapGet("/written", () => Results.Empty).AllowAnonymous().WithSummary("A stream that is written by hand.").WithName("findThing")
            .Produces<SseItem<TinyService.Address>>(StatusCodes.Status200OK, ServerSentEvents.ContentType);
        app.MapGet("/returned", () => TypedResults.ServerSentEvents(Nothing())).AllowAnonymous().WithSummary("A stream of .NET's.");
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }

    private static async IAsyncEnumerable<SseItem<TinyService.Address>> Nothing()
    {
        await Task.CompletedTask;
        yield break;
    }

    private static async Task<string> DocumentAsync(WebApplication app)
    {
        using var client = new HttpClient { BaseAddress = new(app.Urls.Single()) };
        return await client.GetStringAsync("/openapi/v1.json", TestContext.Current.CancellationToken);
    }

    private static async Task<JsonElement> PathsAsync(WebApplication app) => JsonElement.Parse(await DocumentAsync(app)).GetProperty("paths");
}
