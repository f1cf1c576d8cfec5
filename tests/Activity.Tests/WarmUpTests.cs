using Shop.Activity.Tests.Hosting;
using Shop.Testing;

namespace Shop.Activity.Tests;

public sealed class WarmUpTests(ShopFixture shops)
{
    [Fact]
    public async Task The_service_works_once_before_it_is_ready()
    {
        await WarmUps.SucceedsAsync((await shops.OnAsync(Broker.Embedded)).Services);
    }
}
