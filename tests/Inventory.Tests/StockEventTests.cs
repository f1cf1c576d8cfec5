using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Shop.Inventory.Stock;
using Shop.Inventory.Tests.Hosting;

namespace Shop.Inventory.Tests;

public sealed class StockEventTests(ShopFixture shops)
{
    [Fact]
    public async Task A_sku_changed_many_times_in_a_batch_is_told_once_with_its_final_level()
    {
        var shop = await shops.WithoutBrokerAsync();
        await shop.Instance.StockUpAsync("told-once", 12);
        var before = (await shop.OutboxAsync("told-once")).Count;

        await using (var scope = shop.Instance.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<InventoryDb>();
            var item = await db.Stock.SingleAsync(item => item.Sku == "told-once", TestContext.Current.CancellationToken);
            foreach (var change in (StockChange[])[item.Reserve(2), item.Reserve(3), item.Dispatch(1)])
                db.Record(new(change, MovementCause.Order, "test", null, DateTimeOffset.UnixEpoch));
            await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(
            [
                ("shop.stock.stock-level-changed.v1", """{"sku":"told-once","onHand":11,"reserved":4,"available":7,"dispatched":1}"""),
                ("shop.stock.stock-ran-low.v1", """{"sku":"told-once","available":7}"""),
            ],
            (await shop.OutboxAsync("told-once")).Skip(before));
    }

    [Fact]
    public async Task Stock_that_changes_otherwise_than_the_ledger_says_is_not_saved()
    {
        var shop = await shops.WithoutBrokerAsync();
        await shop.Instance.StockUpAsync("unrecorded", 12);

        await using var scope = shop.Instance.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<InventoryDb>();
        var item = await db.Stock.SingleAsync(item => item.Sku == "unrecorded", TestContext.Current.CancellationToken);
        item.Reserve(2);
        db.Record(new(item.Reserve(3), MovementCause.Order, "test", null, DateTimeOffset.UnixEpoch));
        await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesAsync(TestContext.Current.CancellationToken));
        Assert.Equal((12, 0, 12, 0), (await shop.Instance.GetJsonAsync("/api/stock/unrecorded")).Levels());
    }

    [Theory]
    [InlineData("reserved = -1")]
    [InlineData("reserved = on_hand + 1")]
    [InlineData("on_hand = -1")]
    [InlineData("dispatched = 2147483647")]
    public async Task The_database_refuses_stock_that_cannot_be(string change)
    {
        var shop = await shops.WithoutBrokerAsync();

        var refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => shop.Booking.ExecuteAsync($"UPDATE stock SET {change} WHERE sku = 'lamp-desk'"));
        Assert.Equal(Npgsql.PostgresErrorCodes.CheckViolation, refused.SqlState);
    }
}
