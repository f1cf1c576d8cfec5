using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Shop.ServiceDefaults;
using Shop.Testing;

namespace Shop.Gateway.Tests;

/// <summary>Who may ask what, where it goes, and what the gateway itself refuses.</summary>
public sealed class ProxyTests : IAsyncLifetime
{
    private readonly FakeService _inventory = new();
    private readonly FakeService _orders = new();
    private readonly FakeService _payments = new();
    private readonly FakeService _activity = new();
    private GatewayUnderTest _gateway = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await Task.WhenAll(new[] { _inventory, _orders, _payments, _activity }.Select(service => service.InitializeAsync().AsTask()));
        _gateway = new GatewayUnderTest(
            Environments.Development,
            ("inventory", [_inventory.Address]),
            ("orders", [_orders.Address]),
            ("payments", [_payments.Address]),
            ("activity", [_activity.Address]));
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await Task.WhenAll(new[] { _inventory, _orders, _payments, _activity }.Select(service => service.DisposeAsync().AsTask()));
    }

    [Theory]
    [InlineData("/api/catalog?search=mug&limit=2")]
    [InlineData("/api/catalog/mug-blue")]
    [InlineData("/api/stock/mug-blue")]
    public async Task The_catalogue_and_the_stock_are_anyones(string path)
    {
        using var response = await _gateway.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(path, Assert.Single(_inventory.Requests).Path);
    }

    [Fact]
    public async Task An_order_goes_to_orders_with_its_token_key_and_body_and_so_does_its_timeline()
    {
        var token = await _gateway.TokenAsync("ada");
        using var submitted = await _gateway.SendAsync(HttpMethod.Post, "/api/orders", token, JsonContent.Create(new { lines = Array.Empty<int>() }));
        Assert.Equal(HttpStatusCode.OK, submitted.StatusCode);
        Assert.Equal(new FakeService.Seen("POST", "/api/orders", $"Bearer {token}", """{"lines":[]}"""), Assert.Single(_orders.Requests));

        using var timeline = await _gateway.GetAsync("/api/orders/42/timeline", token);
        Assert.Equal("/api/orders/42/timeline", _orders.Requests.Last().Path);
        using var order = await _gateway.GetAsync("/api/orders/42", token);
        Assert.Equal("/api/orders/42", _orders.Requests.Last().Path);
    }

    [Fact]
    public async Task What_visitors_do_is_told_by_anyone()
    {
        using var response = await _gateway.SendAsync(HttpMethod.Post, "/api/activity", null, JsonContent.Create(Array.Empty<int>()));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("/api/activity", Assert.Single(_activity.Requests).Path);
    }

    [Theory]
    [InlineData("GET", "/api/orders")]
    [InlineData("POST", "/api/orders")]
    [InlineData("GET", "/api/activity/summary")]
    [InlineData("GET", "/api/orders/42/timeline")]
    [InlineData("POST", "/api/ops/stock/mug-blue/receipts")]
    [InlineData("GET", "/api/activity/feed")]
    public async Task Without_a_token_401_and_nothing_goes_further(string method, string path)
    {
        foreach (var token in new[] { null, "nonsense" })
        {
            using var response = await _gateway.SendAsync(new HttpMethod(method), path, token);
            await Problem.ReadAsync(response, HttpStatusCode.Unauthorized);
            Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().Scheme);
        }

        Assert.Empty(_orders.Requests);
        Assert.Empty(_inventory.Requests);
        Assert.Empty(_activity.Requests);
    }

    [Fact]
    public async Task Operator_routes_are_403_for_a_shopper()
    {
        var shopper = await _gateway.TokenAsync("ada");
        using var refused = await _gateway.SendAsync(HttpMethod.Put, "/api/ops/products/mug-blue", shopper);
        await Problem.ReadAsync(refused, HttpStatusCode.Forbidden);
        Assert.Empty(_inventory.Requests);

        var @operator = await _gateway.TokenAsync("olga", "operator");
        using var allowed = await _gateway.SendAsync(HttpMethod.Put, "/api/ops/products/mug-blue", @operator);
        Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
    }

    [Theory]
    [InlineData(10_000_000, false)]
    [InlineData(10_000_000, true)]
    [InlineData(ServiceDefaultsExtensions.MaxRequestBodyBytes + 1, true)]
    public async Task A_body_over_128_KiB_is_413_at_the_gateway(int length, bool chunked)
    {
        var token = await _gateway.TokenAsync("ada");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders");
        request.Content = new StringContent(new string('x', length), Encoding.UTF8, "application/json");
        request.Headers.TransferEncodingChunked = chunked;
        request.Headers.Authorization = new("Bearer", token);
        using var response = await _gateway.Client.SendAsync(request, Cancellation);
        var problem = await Problem.ReadAsync(response, HttpStatusCode.RequestEntityTooLarge);
        Assert.Equal(["body"], problem.Errors!.Keys);
        Assert.Empty(_orders.Requests);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_of_64_KiB_goes_through(bool chunked)
    {
        var body = new string('x', ServiceDefaultsExtensions.MaxRequestBodyBytes);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders") { Content = new StringContent(body) };
        request.Headers.TransferEncodingChunked = chunked;
        request.Headers.Authorization = new("Bearer", await _gateway.TokenAsync("ada"));
        using var response = await _gateway.Client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(body, Assert.Single(_orders.Requests).Body);
    }

    [Theory, InlineData("orders"), InlineData("inventory"), InlineData("payments"), InlineData("activity")]
    public async Task Each_services_dead_letters_are_for_operators_only(string service)
    {
        var path = $"/api/ops/{service}/dead-letters";
        using var shopper = await _gateway.SendAsync(HttpMethod.Get, path, await _gateway.TokenAsync("ada"));
        Assert.Equal(HttpStatusCode.Forbidden, shopper.StatusCode);

        using var answer = await _gateway.SendAsync(HttpMethod.Get, path, await _gateway.TokenAsync("olga", "operator"));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(path, Assert.Single((service switch { "orders" => _orders, "inventory" => _inventory, "payments" => _payments, _ => _activity }).Requests).Path);
    }

    [Fact]
    public async Task Everybodys_orders_are_for_operators_only()
    {
        const string Path = "/api/ops/orders?status=inReview&olderThan=PT15M";
        using var shopper = await _gateway.GetAsync(Path, await _gateway.TokenAsync("ada"));
        await Problem.ReadAsync(shopper, HttpStatusCode.Forbidden);
        Assert.Empty(_orders.Requests);

        using var answer = await _gateway.GetAsync(Path, await _gateway.TokenAsync("olga", "operator"));
        Assert.Equal(Path, Assert.Single(_orders.Requests).Path);
    }

    [Theory]
    [InlineData("/api/nothing")]
    [InlineData("/api/ops/unknown")]
    [InlineData("/nowhere.html")]
    public async Task An_unknown_path_is_404(string path)
    {
        using var response = await _gateway.GetAsync(path);
        await Problem.ReadAsync(response, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_services_own_error_is_passed_on_as_it_is()
    {
        _inventory.Answer = HttpStatusCode.UnprocessableEntity;
        using var response = await _gateway.GetAsync("/api/catalog");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal("GET", (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("method").GetString());
    }

    [Fact]
    public async Task Ready_is_the_gateway_when_every_service_is()
    {
        // one that is slow for a moment is away for that moment
        await Eventually.BecomesAsync(HttpStatusCode.OK, async () => (await _gateway.GetAsync("/health/ready")).StatusCode);

        _orders.Ready = false;
        await _activity.StopAsync();
        // what was answered a moment ago is answered again
        await Eventually.BecomesAsync(HttpStatusCode.ServiceUnavailable, async () => (await _gateway.GetAsync("/health/ready")).StatusCode);
        using var unready = await _gateway.GetAsync("/health/ready");
        Assert.Contains("not ready: activity, orders", await unready.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        using var live = await _gateway.GetAsync("/health/live");
        Assert.Equal(HttpStatusCode.OK, live.StatusCode);
    }
}
