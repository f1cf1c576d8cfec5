using Shop.Activity.Tests.Hosting;
using Shop.Testing;
using Shop.Testing.Routes;

namespace Shop.Activity.Tests;

public sealed class RouteTests(ShopFixture shops)
{
    [Fact]
    public async Task Every_route_is_decided_about_and_described()
    {
        var shop = await shops.OnAsync(Broker.Embedded);
        Assert.Empty(RouteRules.Undecided(shop.Services));
        Assert.Empty(await RouteRules.UndescribedAsync(shop.Services, shop.Client));
    }
}
