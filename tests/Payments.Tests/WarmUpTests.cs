using Shop.Testing;

namespace Shop.Payments.Tests;

public sealed class WarmUpTests(PostgresFixture postgres)
{
    [Fact]
    public async Task The_service_works_once_before_it_is_ready()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        await WarmUps.SucceedsAsync(shop.StartPayments().Services);
    }
}
