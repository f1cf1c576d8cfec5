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
    /// <exception cref="HttpRequestException">It was refused; the message has the answer.</exception>
    public async Task<JsonElement> SendAsync(HttpMethod method, string path, object? body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
        using var response = await _http.SendAsync(request, cancellationToken);
        var answer = await response.Content.ReadAsStringAsync(cancellationToken);
        if (!response.IsSuccessStatusCode) throw new HttpRequestException($"{method} {path} was answered with {(int)response.StatusCode}: {answer}");
        return answer.Length == 0 ? default : JsonSerializer.Deserialize<JsonElement>(answer);
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();
}
