using System.Net;
using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Orders.SearchingOrders;
using static Shop.Orders.Tests.Requests;

namespace Shop.Orders.Tests.SearchingOrders;

public sealed class SearchOrdersTests(OrdersFixture fixture)
{
    [Fact]
    public async Task Operators_find_anybodys_orders_by_shopper_and_status_page_by_page()
    {
        var service = await fixture.GetAsync();
        var (ada, bob) = (NewShopper(), NewShopper());
        var adas = new List<Guid>();
        for (var i = 0; i < 3; i++)
            adas.Add((await service.Http.SubmitAsync(ada)).Id);
        await service.Http.SubmitAsync(bob);
        await service.ProduceAsync(new StockRejected(adas[1], []));
        await service.Http.BecomesAsync("cancelled", ada, adas[1]);

        var all = await service.Http.GetAsOperatorAsync($"/api/ops/orders?shopper={ada}");
        Assert.Equal(adas.AsEnumerable().Reverse(), Ids(all));
        var found = all.Json.GetProperty("items")[1];
        Assert.Equal((ada, "cancelled"), (found.GetProperty("shopperId").GetString(), found.GetProperty("status").GetString()));
        Assert.Equal("""{"amount":19.00,"currency":"EUR"}""", found.GetProperty("total").GetRawText());
        Assert.False(found.TryGetProperty("shipTo", out _));

        var first = await service.Http.GetAsOperatorAsync($"/api/ops/orders?shopper={ada}&status=submitted&limit=1");
        var second = await service.Http.GetAsOperatorAsync($"/api/ops/orders?shopper={ada}&status=submitted&limit=1&after={first.Json.GetProperty("next").GetString()}");
        Assert.Equal([adas[2], adas[0]], Ids(first).Concat(Ids(second)));
        Assert.Null(second.Json.GetProperty("next").GetString());
        Assert.Equal([adas[1]], Ids(await service.Http.GetAsOperatorAsync($"/api/ops/orders?shopper={ada}&status=cancelled")));
    }

    [Fact]
    public async Task What_is_stuck_for_longer_than_a_time_is_found_and_what_has_ended_is_not_stuck()
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var (fresh, stuck, ended) = ((await service.Http.SubmitAsync(shopper)).Id, (await service.Http.SubmitAsync(shopper)).Id, (await service.Http.SubmitAsync(shopper)).Id);
        await service.ProduceAsync(new StockRejected(ended, []));
        await service.Http.BecomesAsync("cancelled", shopper, ended);
        await service.QueryAsync(db => db.Orders.Where(order => order.CorrelationId == stuck || order.CorrelationId == ended)
            .ExecuteUpdateAsync(set => set.SetProperty(order => order.UpdatedAt, order => order.UpdatedAt.AddHours(-2))));

        Assert.Equal([stuck], Ids(await service.Http.GetAsOperatorAsync($"/api/ops/orders?shopper={shopper}&olderThan=PT1H30M")));
        Assert.Contains(stuck, Ids(await service.Http.GetAsOperatorAsync("/api/ops/orders?olderThan=PT1H&limit=200")));
        Assert.Equal([ended], Ids(await service.Http.GetAsOperatorAsync($"/api/ops/orders?shopper={shopper}&status=cancelled&olderThan=PT1H")));
        Assert.Empty(Ids(await service.Http.GetAsOperatorAsync($"/api/ops/orders?shopper={shopper}&olderThan=P1D")));
        Assert.Equal([stuck, fresh], Ids(await service.Http.GetAsOperatorAsync($"/api/ops/orders?shopper={shopper}&olderThan=PT0S")));
    }

    [Fact]
    public async Task It_is_for_operators_only()
    {
        var service = await fixture.GetAsync();

        Assert.Equal(HttpStatusCode.Forbidden, (await service.Http.GetAsync(NewShopper(), "/api/ops/orders")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await service.Http.SendAsync(null, HttpMethod.Get, "/api/ops/orders")).Status);
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=201", "limit")]
    [InlineData("limit=x", "limit")]
    [InlineData("after=x", "after")]
    [InlineData("status=stuck", "status")]
    [InlineData("status=%00", "status")]
    [InlineData("shopper=", "shopper")]
    [InlineData("shopper=%00", "shopper")]
    [InlineData("olderThan=", "olderThan")]
    [InlineData("olderThan=15", "olderThan")]
    [InlineData("olderThan=00:15:00", "olderThan")]
    [InlineData("olderThan=P", "olderThan")]
    [InlineData("olderThan=PT", "olderThan")]
    [InlineData("olderThan=P1DT", "olderThan")]
    [InlineData("olderThan=P1Y", "olderThan")]
    [InlineData("olderThan=P1M", "olderThan")]
    [InlineData("olderThan=-PT1H", "olderThan")]
    [InlineData("olderThan=PT1.5H", "olderThan")]
    [InlineData("olderThan=PT99999999999999H", "olderThan")]
    [InlineData("olderThan=PT1H%00", "olderThan")]
    [InlineData("olderThan=PT1H%0A", "olderThan")]
    [InlineData("olderThan=PT1H&olderThan=PT2H", "olderThan")]
    public async Task A_bad_query_is_400_and_named(string query, string field)
    {
        var service = await fixture.GetAsync();

        var answer = await service.Http.GetAsOperatorAsync($"/api/ops/orders?{query}");

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal([field], answer.Fields);
    }

    [Theory]
    [InlineData("shopper=%27%20OR%201=1;--")]
    [InlineData("shopper=%ed%a0%80")]
    [InlineData("shopper=%f0%9f%98%80")]
    [InlineData("shopper=%25_")]
    [InlineData("after=00000000-0000-0000-0000-000000000000")]
    public async Task What_is_odd_but_well_formed_finds_nothing(string query)
    {
        var service = await fixture.GetAsync();

        var answer = await service.Http.GetAsOperatorAsync($"/api/ops/orders?{query}");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Empty(Ids(answer));
    }

    [Fact]
    public void The_longest_duration_can_be_reckoned_with()
    {
        Assert.True(IsoDuration.TryParse("P99999DT999999H999999M999999S", out var duration));
        Assert.Equal(new TimeSpan(99999, 999999, 999999, 999999), duration);
        // and so can the longest of all from today
        Assert.True(DateTimeOffset.UtcNow - duration > DateTimeOffset.MinValue);
    }

    private static List<Guid> Ids(Answer page) => [.. page.Json.GetProperty("items").EnumerateArray().Select(order => order.GetProperty("id").GetGuid())];
}
