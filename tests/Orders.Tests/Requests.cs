using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Shop.Testing;

namespace Shop.Orders.Tests;

/// <summary>An answer, read as a client would.</summary>
public sealed record Answer(HttpStatusCode Status, string? Location, string? MediaType, string Text)
{
    public JsonElement Json => Text.Length == 0 ? default : JsonSerializer.Deserialize<JsonElement>(Text);

    public Guid Id => Json.GetProperty("id").GetGuid();

    public string OrderStatus => Json.GetProperty("status").GetString()!;

    public string? Reason => Json.GetProperty("reason").GetString();

    /// <summary>The fields that a ProblemDetails names.</summary>
    public IReadOnlyList<string> Fields =>
        Json.TryGetProperty("errors", out var errors) ? [.. errors.EnumerateObject().Select(error => error.Name)] : [];
}

/// <summary>Requests of a shopper; bodies are text, so that tests can send anything.</summary>
internal static class Requests
{
    public const string Lines = """[{"sku":"mug-blue","quantity":2}]""";
    public const string ShipTo = """{"name":"Ada","street":"Main Street 1","city":"Berlin","postalCode":"10115","country":"DE"}""";

    public static string Body(string lines = Lines, string token = "\"tok_visa\"", string shipTo = ShipTo, string? expectedTotal = null) =>
        $$"""{"lines":{{lines}},"payment":{"token":{{token}}},"shipTo":{{shipTo}}{{(expectedTotal is null ? "" : $",\"expectedTotal\":{expectedTotal}")}}}""";

    public static string NewShopper() => $"shopper-{Guid.NewGuid():N}";

    public static Task<Answer> SubmitAsync(this HttpClient http, string shopper, string? key = null, string? body = null) =>
        http.SendAsync(shopper, HttpMethod.Post, "/api/orders", key ?? Guid.NewGuid().ToString(), new StringContent(body ?? Body(), Encoding.UTF8, "application/json"));

    public static Task<Answer> GetAsync(this HttpClient http, string shopper, string path) => http.SendAsync(shopper, HttpMethod.Get, path);

    /// <summary>A request of an operator.</summary>
    public static Task<Answer> GetAsOperatorAsync(this HttpClient http, string path) => http.SendWithTokenAsync(TestTokens.Operator(), HttpMethod.Get, path, null, null, []);

    public static Task<Answer> ReadAsync(this HttpClient http, string shopper, Guid id) => http.GetAsync(shopper, $"/api/orders/{id}");

    public static Task<Answer> CancelAsync(this HttpClient http, string shopper, Guid id) => http.SendAsync(shopper, HttpMethod.Post, $"/api/orders/{id}/cancel");

    public static Task BecomesAsync(this HttpClient http, string status, string shopper, Guid id) =>
        Eventually.BecomesAsync(status, async () => (await http.ReadAsync(shopper, id)).OrderStatus);

    public static Task<Answer> SendAsync(this HttpClient http, string? shopper, HttpMethod method, string path, string? key = null, HttpContent? content = null,
        params (string Name, string Value)[] headers) =>
        http.SendWithTokenAsync(shopper is null ? null : TestTokens.Shopper(shopper), method, path, key, content, headers);

    private static async Task<Answer> SendWithTokenAsync(this HttpClient http, string? token, HttpMethod method, string path, string? key, HttpContent? content,
        (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (key is not null)
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return new(response.StatusCode, response.Headers.Location?.ToString(), response.Content.Headers.ContentType?.MediaType,
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
