using System.Net.Http.Json;
using System.Text.Json;

namespace Shop.AppHost.Commands;

/// <summary>Calls the gateway as somebody whom its development sign-in knows.</summary>
internal sealed class GatewayClient : IDisposable
{
    private readonly HttpClient _http;

    private GatewayClient(HttpClient http) => _http = http;

    /// <summary>Signs in.</summary>
    public static async Task<GatewayClient> SignInAsync(EndpointReference gateway, string name, string[] roles, CancellationToken cancellationToken)
    {
        var client = new GatewayClient(new HttpClient { BaseAddress = new Uri(gateway.Url) });
        try
        {
            var token = await client.SendAsync(HttpMethod.Post, "/api/dev/token", new { name, roles }, cancellationToken);
            client._http.DefaultRequestHeaders.Authorization = new("Bearer", token.GetProperty("access_token").GetString());
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Sends a request, with an idempotency key of its own.</summary>
    /// <exception cref="HttpRequestException">It was refused; the message says why.</exception>
    public async Task<JsonElement> SendAsync(HttpMethod method, string path, object? body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
        using var response = await _http.SendAsync(request, cancellationToken);
        var answer = await response.Content.ReadAsStringAsync(cancellationToken);
        if (!response.IsSuccessStatusCode) throw new HttpRequestException($"{Reason(answer)} ({method} {path}: {(int)response.StatusCode})");
        return answer.Length == 0 ? default : JsonSerializer.Deserialize<JsonElement>(answer);
    }

    /// <summary>What a person reads of problem details, or else the answer as it is.</summary>
    private static string Reason(string answer)
    {
        try
        {
            var problem = JsonSerializer.Deserialize<ProblemDetails>(answer, JsonSerializerOptions.Web);
            return problem?.Detail ?? problem?.Title ?? answer;
        }
        catch (JsonException)
        {
            return answer;
        }
    }

    private sealed record ProblemDetails(string? Title, string? Detail);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();
}
