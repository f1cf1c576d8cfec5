using Shop.Testing.Routes;

namespace Shop.Orders.Tests;

public sealed class RouteTests(OrdersFixture fixture)
{
    [Fact]
    public async Task Every_route_is_decided_about_and_described()
    {
        var service = await fixture.GetAsync();
        Assert.Empty(RouteRules.Undecided(service.Services));
        Assert.Empty(await RouteRules.UndescribedAsync(service.Services, service.Http));
    }
}
