using System.Net;
using System.Text.Json;
using Shop.Contracts;
using Shop.Inventory.Tests.Hosting;
using Shop.Testing;

namespace Shop.Inventory.Tests;

public sealed class LedgerTests(ShopFixture shops)
{
    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    [Theory, MemberData(nameof(Brokers))]
    public async Task Every_movement_is_in_the_ledger_with_its_cause_and_the_sums_are_the_levels(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        await shop.Instance.StockUpAsync("ledger", 20);
        using var kafka = new KafkaClient(shop.Kafka);
        var (sent, cancelled) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await kafka.PublishAsync(Events.Submitted(sent, ("ledger", 3)));
        await kafka.NextAsync(Topics.Reservations, sent);
        await kafka.PublishAsync(Events.Submitted(cancelled, ("ledger", 5)));
        await kafka.NextAsync(Topics.Reservations, cancelled);
        await kafka.PublishAsync(new OrderConfirmed(sent));
        await kafka.NextAsync(Topics.Reservations, sent);
        await kafka.PublishAsync(new OrderCancelled(cancelled, "changed my mind"));
        await kafka.NextAsync(Topics.Reservations, cancelled);
        using var corrected = await shop.Instance.PostCorrectionAsync("ledger", "ledger-1", """{"onHand":15,"reason":"two were broken"}""");
        Assert.Equal(HttpStatusCode.OK, corrected.StatusCode);

        var movements = await shop.Instance.MovementsAsync("ledger", limit: 2);
        Assert.Equal(
            [
                ("receipt", 20, 0, 0), ("order", 0, 3, 0), ("order", 0, 5, 0), ("order", -3, -3, 3), ("order", 0, -5, 0), ("correction", -2, 0, 0),
            ],
            movements.Select(m => (m.GetProperty("cause").GetString()!, Number(m, "onHand"), Number(m, "reserved"), Number(m, "dispatched"))));
        Assert.Equal([$"{sent}", $"{cancelled}", $"{sent}", $"{cancelled}", "ledger-1"], movements.Skip(1).Select(m => m.GetProperty("reference").GetString()));
        Assert.Equal("two were broken", movements[^1].GetProperty("reason").GetString());
        Assert.Equal((15, 0, 15, 3), (await shop.Instance.GetJsonAsync("/api/stock/ledger")).Levels());
        Assert.Equal(0, await shop.ScalarAsync<long>(RunningInventory.UnequalToLedger("ledger")));
    }

    [Theory]
    [InlineData("UPDATE stock_movements SET on_hand = 0")]
    [InlineData("DELETE FROM stock_movements")]
    [InlineData("TRUNCATE stock_movements")]
    public async Task The_ledger_is_only_added_to(string sql)
    {
        var shop = await shops.WithoutBrokerAsync();

        await using var command = shop.Database.CreateCommand(sql);
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=1001", "limit")]
    [InlineData("limit=x", "limit")]
    [InlineData("after=-1", "after")]
    [InlineData("after=x", "after")]
    public async Task A_bad_page_is_refused_by_field(string query, string field)
    {
        var shop = await shops.WithoutBrokerAsync();
        using var answer = await shop.Instance.SendAsync(HttpMethod.Get, $"/api/ops/stock/mug-red/movements?{query}", null, TestTokens.Operator());
        await Answers.AssertProblemAsync(answer, HttpStatusCode.BadRequest, field);
    }

    [Fact]
    public async Task The_ledger_of_what_does_not_exist_is_not_found_and_others_may_not_look()
    {
        var shop = await shops.WithoutBrokerAsync();
        using var unknown = await shop.Instance.SendAsync(HttpMethod.Get, "/api/ops/stock/no-such-thing/movements", null, TestTokens.Operator());
        await Answers.AssertProblemAsync(unknown, HttpStatusCode.NotFound, field: null);
        using var shopper = await shop.Instance.SendAsync(HttpMethod.Get, "/api/ops/stock/mug-red/movements", null, TestTokens.Shopper("ada"));
        await Answers.AssertProblemAsync(shopper, HttpStatusCode.Forbidden, field: null);
    }

    private static int Number(JsonElement movement, string name) => movement.GetProperty(name).GetInt32();
}
