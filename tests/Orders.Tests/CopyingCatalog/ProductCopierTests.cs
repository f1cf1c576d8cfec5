using System.Net;
using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Testing;
using static Shop.Orders.Tests.Requests;

namespace Shop.Orders.Tests.CopyingCatalog;

public sealed class ProductCopierTests(OrdersFixture fixture)
{
    [Fact]
    public async Task The_newest_price_counts_and_orders_keep_theirs()
    {
        var service = await fixture.GetAsync();
        var (shopper, sku) = (NewShopper(), $"sku-{Guid.NewGuid():N}");
        var body = Body(lines: $$"""[{"sku":"{{sku}}","quantity":3}]""");
        await ChangePriceAsync(service, sku, 1.00m, 2.5m);
        var first = await service.Http.SubmitAsync(shopper, body: body);

        await ChangePriceAsync(service, sku, 4m);

        Assert.Equal(12.00m, TotalOf(await service.Http.SubmitAsync(shopper, body: body)));
        Assert.Equal(7.50m, TotalOf(await service.Http.ReadAsync(shopper, first.Id)));
    }

    [Fact]
    public async Task A_price_that_breaks_its_contract_is_a_dead_letter_and_the_others_go_on()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        await using var service = await OrdersFixture.StartWithCatalogAsync(await fixture.CreateDatabaseAsync(), broker.BootstrapServers);
        var good = $"sku-{Guid.NewGuid():N}";

        await service.ProduceAsync(new ProductChanged("broken", "", "", new(0.001m, "EUR")));
        await ChangePriceAsync(service, good, 1m);

        await Eventually.BecomesAsync(1L, service.DeadLettersAsync);
        Assert.False(await service.QueryAsync(db => db.Products.AnyAsync(product => product.Sku == "broken")));
    }

    [Fact]
    public async Task Without_a_catalogue_the_service_lives_but_is_not_ready()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        await using var service = new OrdersService(await fixture.CreateDatabaseAsync(), broker.BootstrapServers);
        await Eventually.BecomesTrueAsync(async () => (await service.Http.GetStringAsync("/health/live")).Length > 0);
        await Eventually.BecomesTrueAsync(async () =>
            (await (await service.Http.GetAsync("/health/ready")).Content.ReadAsStringAsync()).Contains("\"messaging\":\"Healthy\"", StringComparison.Ordinal));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await service.Http.GetAsync("/health/ready", TestContext.Current.CancellationToken)).StatusCode);

        await service.ProduceAsync(OrdersService.Catalog[0]);
        await service.IsReadyAsync();
    }

    private static async Task ChangePriceAsync(OrdersService service, string sku, params decimal[] prices)
    {
        foreach (var price in prices)
            await service.ProduceAsync(new ProductChanged(sku, "", "", new(price, "EUR")));
        await Eventually.BecomesAsync(prices[^1], () => service.QueryAsync(db => db.Products.Where(product => product.Sku == sku).Select(product => product.Price).SingleOrDefaultAsync()));
    }

    private static decimal TotalOf(Answer answer) => answer.Json.GetProperty("total").GetProperty("amount").GetDecimal();
}
