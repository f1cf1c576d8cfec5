using System.Net;
using Shop.Inventory.Tests.Hosting;
using Shop.Inventory.Tests.Sensors;
using Shop.Testing;
using Shop.Testing.Routes;

namespace Shop.Inventory.Tests;

/// <summary>Who may use which route, asked past the gateway.</summary>
public sealed class AuthorisationTests(ShopFixture shops)
{
    private const string Sku = "matrix-thing", Setup = """{"kind":"temperature","place":"matrix","minCelsius":2,"maxCelsius":8}""";

    [Fact]
    public async Task Every_route_answers_every_caller_as_its_row_says()
    {
        var shop = await shops.OnAsync(Broker.Embedded);
        await shop.Instance.StockUpAsync(Sku, 10);
        var device = await Device.RegisterAsync(shop, "matrix-device", Setup);
        await device.SendAsync((Device.Now, 5));
        var product = """{"name":"Thing","description":"A thing.","price":{"amount":1.5,"currency":"EUR"}}""";
        var matrix = new AuthorisationMatrix(shop.Instance.Services, shop.Instance.Client, device.Key);
        await matrix.HoldsAsync(
        [
            .. AuthorisationMatrix.OfEveryProcess, .. AuthorisationMatrix.OfMessaging("inventory"),
            new("GET /api/catalog", Access.Anyone, 200),
            new("GET /api/catalog/{sku}", Access.Anyone, 200, $"/api/catalog/{Sku}"),
            new("GET /api/stock/{sku}", Access.Anyone, 200, $"/api/stock/{Sku}"),
            new("GET /api/ops/products/{sku}", Access.Operator, 200, $"/api/ops/products/{Sku}"),
            new("PUT /api/ops/products/{sku}", Access.Operator, 200, $"/api/ops/products/{Sku}", product),
            new("GET /api/ops/stock/{sku}/movements", Access.Operator, 200, $"/api/ops/stock/{Sku}/movements"),
            new("POST /api/ops/stock/{sku}/receipts", Access.Operator, 200, $"/api/ops/stock/{Sku}/receipts", """{"quantity":1}"""),
            new("POST /api/ops/stock/{sku}/corrections", Access.Operator, 400, $"/api/ops/stock/{Sku}/corrections", "{}"),
            new("GET /api/ops/sensors", Access.Operator, 200),
            new("POST /api/devices/{sensor}/readings", Access.Device, 400, $"/api/devices/{device.Name}/readings", "[]"),
            new("PUT /api/ops/sensors/{sensor}", Access.Operator, 200, $"/api/ops/sensors/{device.Name}", Setup),
            new("POST /api/ops/sensors/{sensor}/key", Access.Operator, 200, $"/api/ops/sensors/{device.Name}/key"),
            new("DELETE /api/ops/sensors/{sensor}", Access.Operator, 204, $"/api/ops/sensors/{device.Name}"),
        ]);
    }

    [Fact]
    public async Task A_devices_key_is_none_of_another()
    {
        var shop = await shops.OnAsync(Broker.Embedded);
        var (one, other) = (await Device.RegisterAsync(shop, "matrix-one", Setup), await Device.RegisterAsync(shop, "matrix-other", Setup));
        using var answer = await Device.PostAsync(shop.Instance, one.Name, other.Key, "[]");
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }
}
