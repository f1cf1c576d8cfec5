using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Shop.Testing;

namespace Shop.Inventory.Tests.Hosting;

/// <summary>One instance of the service, with its own Program.cs, on Kestrel and a port of its own.</summary>
public sealed class InventoryInstance : IAsyncDisposable
{
    private readonly Factory _factory;

    public InventoryInstance(string database, string kafka)
    {
        _factory = new(database, kafka);
        _factory.UseKestrel();
        _factory.StartServer();
        Client = _factory.CreateClient();
    }

    public HttpClient Client { get; }

    /// <summary>The service's own container.</summary>
    public IServiceProvider Services => _factory.Services;

    public Task<HttpResponseMessage> GetAsync(string path) => Client.GetAsync(path, TestContext.Current.CancellationToken);

    public async Task<JsonElement> GetJsonAsync(string path) =>
        await Client.GetFromJsonAsync<JsonElement>(path, TestContext.Current.CancellationToken);

    /// <summary>Sends it as an operator.</summary>
    public Task<HttpResponseMessage> PutProductAsync(string sku, string body, string? ifMatch = null) =>
        SendAsync(HttpMethod.Put, $"/api/ops/products/{sku}", body, TestTokens.Operator(), ifMatch: ifMatch);

    /// <summary>Sends it as an operator.</summary>
    public Task<HttpResponseMessage> PostReceiptAsync(string sku, string? key, string body, string operatorName = "olga") =>
        SendAsync(HttpMethod.Post, $"/api/ops/stock/{sku}/receipts", body, TestTokens.Operator(operatorName), key);

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string body, string? token, string? idempotencyKey = null, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (idempotencyKey is not null)
            request.Headers.TryAddWithoutValidation("Idempotency-Key", idempotencyKey);
        if (ifMatch is not null)
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        return await Client.SendAsync(request, TestContext.Current.CancellationToken);
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

    public ValueTask DisposeAsync() => _factory.DisposeAsync();

    private sealed class Factory(string database, string kafka) : WebApplicationFactory<InventoryDb>
    {
        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            // the address is a setting: UseKestrel(port) changes it on a server that Program may have started already
            builder.UseSetting("urls", "http://127.0.0.1:0");
            builder.UseSetting("ConnectionStrings:inventory", database);
            builder.UseSetting("ConnectionStrings:kafka", kafka);
            builder.UseSetting("Authentication:SigningKey", TestTokens.SigningKey);
            builder.UseEnvironment("Development");
            builder.UseSetting("Logging:LogLevel:Default", "Error");
        }
    }
}
