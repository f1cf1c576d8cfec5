using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Hosting;

namespace Shop.Gateway.Tests;

/// <summary><c>/api/ops/faults/payment-provider</c>: operators make the provider slow, in Development.</summary>
public sealed class FaultTests : IAsyncLifetime
{
    private const string Path = "/api/ops/faults/payment-provider";

    private readonly FakeService _provider = new() { Answer = HttpStatusCode.NoContent };

    public ValueTask InitializeAsync() => _provider.InitializeAsync();

    public ValueTask DisposeAsync() => _provider.DisposeAsync();

    [Fact]
    public async Task The_provider_is_asked_and_told()
    {
        await using var gateway = new GatewayUnderTest(Environments.Development, ("payment-provider", [_provider.Address]));
        var token = await gateway.TokenAsync("olga", "operator");
        using var set = await gateway.SendAsync(HttpMethod.Put, Path, token, JsonContent.Create(new { answerDelaySeconds = 2.5 }));
        Assert.Equal(HttpStatusCode.OK, set.StatusCode);
        Assert.Equal(("PUT", "/v1/pace", """{"answerDelaySeconds":2.5}""", ""), _provider.Requests.Select(seen => (seen.Method, seen.Path, seen.Body, seen.Authorization)).Single());

        _provider.Answers["/v1/pace"] = """{"answerDelaySeconds":2.5}""";
        using var read = await gateway.GetAsync(Path, token);
        Assert.Equal(2.5, (await read.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("answerDelaySeconds").GetDouble());
    }

    [Theory, InlineData("-1"), InlineData("60.5"), InlineData("1e308")]
    public async Task What_cannot_be_is_refused_and_the_field_is_named(string seconds)
    {
        await using var gateway = new GatewayUnderTest(Environments.Development, ("payment-provider", [_provider.Address]));
        using var response = await gateway.SendAsync(HttpMethod.Put, Path, await gateway.TokenAsync("olga", "operator"),
            new StringContent($$"""{"answerDelaySeconds":{{seconds}}}""", new System.Net.Http.Headers.MediaTypeHeaderValue("application/json")));
        var problem = await Problem.ReadAsync(response, HttpStatusCode.BadRequest);
        Assert.Equal(["answerDelaySeconds"], problem.Errors!.Keys);
        Assert.Empty(_provider.Requests);
    }

    [Fact]
    public async Task A_provider_that_does_not_answer_is_503()
    {
        await _provider.StopAsync();
        await using var gateway = new GatewayUnderTest(Environments.Development, ("payment-provider", [_provider.Address]));
        var token = await gateway.TokenAsync("olga", "operator");
        using var read = await gateway.GetAsync(Path, token);
        await Problem.ReadAsync(read, HttpStatusCode.ServiceUnavailable);
        using var set = await gateway.SendAsync(HttpMethod.Put, Path, token, JsonContent.Create(new { answerDelaySeconds = 1 }));
        await Problem.ReadAsync(set, HttpStatusCode.ServiceUnavailable);
        Assert.NotNull(set.Headers.RetryAfter);
    }

    [Fact]
    public async Task It_is_for_operators_and_in_Development_only()
    {
        await using var gateway = new GatewayUnderTest(Environments.Development, ("payment-provider", [_provider.Address]));
        using var shopper = await gateway.SendAsync(HttpMethod.Put, Path, await gateway.TokenAsync("ada"), JsonContent.Create(new { answerDelaySeconds = 1 }));
        await Problem.ReadAsync(shopper, HttpStatusCode.Forbidden);
        Assert.Empty(_provider.Requests);
        await using var production = new GatewayUnderTest(Environments.Production, ("payment-provider", [_provider.Address]));
        using var nowhere = await production.GetAsync(Path);
        await Problem.ReadAsync(nowhere, HttpStatusCode.NotFound);
    }
}
