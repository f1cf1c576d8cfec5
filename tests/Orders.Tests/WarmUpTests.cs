using Shop.Testing;

namespace Shop.Orders.Tests;

public sealed class WarmUpTests(OrdersFixture fixture)
{
    [Fact]
    public async Task The_service_works_once_before_it_is_ready()
    {
        var service = await fixture.GetAsync();
        await WarmUps.SucceedsAsync(service.Services);
    }
}
