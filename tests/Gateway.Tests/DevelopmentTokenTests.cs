using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Shop.Gateway.Tests;

/// <summary><c>POST /api/dev/token</c>.</summary>
public sealed class DevelopmentTokenTests : IAsyncDisposable
{
    private readonly GatewayUnderTest _gateway = new(Environments.Development);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task A_name_and_roles_become_a_token_for_an_hour()
    {
        using var response = await PostAsync("""{"name":"ada","roles":["operator","operator"]}""");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        Assert.Equal("Bearer", answer.GetProperty("token_type").GetString());
        Assert.Equal(3600, answer.GetProperty("expires_in").GetInt32());

        var token = new JsonWebToken(answer.GetProperty("access_token").GetString());
        Assert.Equal(("ada", "shop-development", "shop"), (token.Subject, token.Issuer, token.Audiences.Single()));
        Assert.Equal("operator", Assert.Single(token.Claims, claim => claim.Type == "roles").Value);
        Assert.InRange(token.ValidTo - DateTime.UtcNow, TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(60));
    }

    [Theory]
    [InlineData("""{"name":""}""", "name")]
    [InlineData("""{"name":"ada lovelace"}""", "name")]
    [InlineData("""{"name":"ad\u00e4"}""", "name")]
    [InlineData("""{"name":null}""", "name")]
    [InlineData("""{}""", "name")]
    [InlineData("""{"name":"ada","roles":["root"]}""", "roles[0]")]
    [InlineData("""{"name":"ada","roles":["operator",null]}""", "roles[1]")]
    [InlineData("""{"name":"ada","roles":"operator"}""", "roles")]
    [InlineData("nonsense", "body")]
    public async Task What_is_wrong_is_400_and_named(string body, string field)
    {
        using var response = await PostAsync(body);
        Assert.Equal([field], (await Problem.ReadAsync(response, HttpStatusCode.BadRequest)).Errors!.Keys);
    }

    [Fact]
    public async Task A_name_of_65_letters_is_400()
    {
        using var response = await PostAsync($$"""{"name":"{{new string('a', 65)}}"}""");
        await Problem.ReadAsync(response, HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Outside_Development_there_is_no_such_path()
    {
        await using var production = new GatewayUnderTest(Environments.Production);
        using var response = await production.Client.PostAsJsonAsync("/api/dev/token", new { name = "ada" }, Cancellation);
        await Problem.ReadAsync(response, HttpStatusCode.NotFound);
    }

    private Task<HttpResponseMessage> PostAsync(string body) => _gateway.Client.PostAsync(
        "/api/dev/token", new StringContent(body, Encoding.UTF8, "application/json"), Cancellation);
}
