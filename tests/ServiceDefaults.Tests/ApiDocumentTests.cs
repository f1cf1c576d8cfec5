using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
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
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }
}
