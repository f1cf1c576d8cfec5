using Shop.Inventory.Tests.Hosting;
using Shop.Testing.Routes;

namespace Shop.Inventory.Tests;

public sealed class RouteTests(ShopFixture shops)
{
    [Fact]
    public async Task Every_route_is_decided_about_and_described()
    {
        var instance = (await shops.WithoutBrokerAsync()).Instance;
        Assert.Empty(RouteRules.Undecided(instance.Services));
        Assert.Empty(await RouteRules.UndescribedAsync(instance.Services, instance.Client));
    }
}
