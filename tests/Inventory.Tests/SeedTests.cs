using Shop.Inventory.Tests.Hosting;

namespace Shop.Inventory.Tests;

public sealed class SeedTests(ShopFixture shops)
{
    [Fact]
    public async Task An_empty_catalogue_is_filled_and_published()
    {
        var shop = await shops.WithoutBrokerAsync();

        var mug = await shop.Instance.GetJsonAsync("/api/catalog/mug-blue");
        Assert.Equal("Blue mug", mug.GetProperty("name").GetString());
        Assert.Equal(9.90m, mug.GetProperty("price").GetProperty("amount").GetDecimal());
        Assert.Equal("EUR", mug.GetProperty("price").GetProperty("currency").GetString());
        var stock = await shop.Instance.GetJsonAsync("/api/stock/mug-blue");
        Assert.Equal("""{"sku":"mug-blue","onHand":500,"reserved":0,"available":500,"dispatched":0}""", stock.GetRawText());
        Assert.Equal([("shop.stock.stock-level-changed.v1", """{"sku":"mug-blue","onHand":500,"reserved":0,"available":500,"dispatched":0}""")], await shop.OutboxAsync("mug-blue"));
    }

    [Fact]
    public async Task Instances_that_start_at_once_fill_it_once()
    {
        await using var shop = await shops.StartWithoutBrokerAsync(instances: 4);

        Assert.Equal(20, await shop.ScalarAsync<long>("SELECT count(*) FROM products"));
        Assert.Equal(20, await shop.ScalarAsync<long>("SELECT count(*) FROM outbox"));
    }
}
