using Shop.Inventory.Tests.Hosting;
using Shop.Testing;

namespace Shop.Inventory.Tests;

public sealed class WarmUpTests(ShopFixture shops)
{
    [Fact]
    public async Task The_service_works_once_before_it_is_ready()
    {
        await WarmUps.SucceedsAsync((await shops.WithoutBrokerAsync()).Instance.Services);
    }
}
