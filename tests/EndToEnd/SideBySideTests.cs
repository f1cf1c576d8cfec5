using Shop.Testing;

namespace Shop.EndToEnd;

/// <summary>Two shops on one machine, from one checkout, each with two instances of each service.</summary>
public sealed class SideBySideTests
{
    private const int Orders = 100;

    [Long]
    [Fact]
    public async Task One_is_removed_while_the_other_goes_on_taking_orders()
    {
        ShopOfOneTest gone = new(replicas: 2), stays = new(replicas: 2);
        try
        {
            await Task.WhenAll(gone.InitializeAsync().AsTask(), stays.InitializeAsync().AsTask());
            var books = await Books.OpenAsync(stays);
            var others = await Books.OpenAsync(gone);
            await others.PlaceOrderAsync();

            var reset = gone.ResetAsync();
            var until = 0;
            while (books.Accepted < Orders || !reset.IsCompleted)
            {
                await books.PlaceOrderAsync();
                if (!reset.IsCompleted) until = books.Accepted;
            }

            await reset;
            Assert.True(until > 0, "the reset was over before the other shop had taken an order");
            await books.CloseAsync();
            await Eventually.BecomesAsync(2, async () => (await stays.PartsAsync()).Count(part => part is { Name: "orders", State: "healthy" }));
            Assert.All(await stays.PartsAsync(), part => Assert.Equal(0, part.Restarts));
        }
        finally
        {
            await gone.DisposeAsync();
            await stays.DisposeAsync();
        }
    }
}
