using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Shop.Testing;

namespace Shop.Inventory.Tests.Hosting;

/// <summary>An instance of the service, as its callers see it.</summary>
public abstract class InventoryApi
{
    /// <summary>Talks to the instance.</summary>
    public abstract HttpClient Client { get; }

    public Task<HttpResponseMessage> GetAsync(string path) => Client.GetAsync(path, TestContext.Current.CancellationToken);

    public async Task<JsonElement> GetJsonAsync(string path) =>
        await Client.GetFromJsonAsync<JsonElement>(path, TestContext.Current.CancellationToken);

    /// <summary>Sends it as an operator.</summary>
    public Task<HttpResponseMessage> PutProductAsync(string sku, string body, string? ifMatch = null) =>
        SendAsync(HttpMethod.Put, $"/api/ops/products/{sku}", body, TestTokens.Operator(), ifMatch: ifMatch);

    /// <summary>Sends it as an operator.</summary>
    public Task<HttpResponseMessage> PostReceiptAsync(string sku, string? key, string body, string operatorName = "olga") =>
        SendAsync(HttpMethod.Post, $"/api/ops/stock/{sku}/receipts", body, TestTokens.Operator(operatorName), key);

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? body, string? token, string? idempotencyKey = null, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (idempotencyKey is not null)
            request.Headers.TryAddWithoutValidation("Idempotency-Key", idempotencyKey);
        if (ifMatch is not null)
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        return await Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>Sends it as an operator.</summary>
    public Task<HttpResponseMessage> PostCorrectionAsync(string sku, string? key, string body, string operatorName = "olga") =>
        SendAsync(HttpMethod.Post, $"/api/ops/stock/{sku}/corrections", body, TestTokens.Operator(operatorName), key);

    /// <summary>The product's ledger, page by page.</summary>
    public async Task<List<JsonElement>> MovementsAsync(string sku, int limit = 100)
    {
        var movements = new List<JsonElement>();
        for (var after = "0"; after is not null;)
        {
            using var answer = await SendAsync(HttpMethod.Get, $"/api/ops/stock/{sku}/movements?after={after}&limit={limit}", null, TestTokens.Operator());
            Assert.Equal(System.Net.HttpStatusCode.OK, answer.StatusCode);
            var page = await answer.JsonAsync();
            Assert.InRange(page.GetProperty("items").GetArrayLength(), 0, limit);
            movements.AddRange(page.GetProperty("items").EnumerateArray());
            after = page.GetProperty("next").GetString();
        }
        return movements;
    }

    /// <summary>Makes a product with so many pieces on hand.</summary>
    public async Task StockUpAsync(string sku, int quantity)
    {
        var body = JsonSerializer.Serialize(new { name = "Thing", description = "A thing.", price = new { amount = 1.5m, currency = "EUR" } });
        using var created = await PutProductAsync(sku, body);
        created.EnsureSuccessStatusCode();
        using var received = await PostReceiptAsync(sku, Guid.NewGuid().ToString(), $$"""{"quantity":{{quantity}}}""");
        received.EnsureSuccessStatusCode();
    }
}
