using System.Net;
using static Shop.Orders.Tests.Requests;

namespace Shop.Orders.Tests.ReadingOrders;

public sealed class ReadOrdersTests(OrdersFixture fixture)
{
    [Fact]
    public async Task An_order_is_its_owners_alone()
    {
        var service = await fixture.GetAsync();
        var (ada, bob) = (NewShopper(), NewShopper());
        var order = await service.Http.SubmitAsync(ada);

        var own = await service.Http.ReadAsync(ada, order.Id);
        var others = await service.Http.ReadAsync(bob, order.Id);

        Assert.Equal((HttpStatusCode.OK, order.Id), (own.Status, own.Id));
        Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), (others.Status, others.MediaType));
        Assert.Equal(0, (await service.Http.GetAsync(bob, "/api/orders")).Json.GetProperty("items").GetArrayLength());
    }

    [Theory]
    [InlineData("/api/orders/01a2055e-20d9-76ac-b2d2-47ee76b48253")]
    [InlineData("/api/orders/not-an-id")]
    public async Task What_is_no_order_is_404(string path) =>
        Assert.Equal(HttpStatusCode.NotFound, (await (await fixture.GetAsync()).Http.GetAsync(NewShopper(), path)).Status);

    [Fact]
    public async Task Pages_go_from_the_newest_to_the_oldest_while_orders_arrive()
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var submitted = new List<Guid>();
        for (var i = 0; i < 7; i++)
            submitted.Add((await service.Http.SubmitAsync(shopper)).Id);

        var listed = new List<Guid>();
        string? after = null;
        do
        {
            var page = await service.Http.GetAsync(shopper, $"/api/orders?limit=3{(after is null ? "" : $"&after={after}")}");
            Assert.Equal(HttpStatusCode.OK, page.Status);
            var items = page.Json.GetProperty("items").EnumerateArray().Select(order => order.GetProperty("id").GetGuid()).ToList();
            Assert.InRange(items.Count, 1, 3);
            listed.AddRange(items);
            after = page.Json.GetProperty("next").GetString();
            await service.Http.SubmitAsync(shopper);
        }
        while (after is not null);

        Assert.Equal(submitted.AsEnumerable().Reverse(), listed);
    }

    [Fact]
    public async Task A_page_that_is_just_full_is_the_last()
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        await service.Http.SubmitAsync(shopper);
        await service.Http.SubmitAsync(shopper);

        var page = await service.Http.GetAsync(shopper, "/api/orders?limit=2");

        Assert.Equal(2, page.Json.GetProperty("items").GetArrayLength());
        Assert.Null(page.Json.GetProperty("next").GetString());
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=101", "limit")]
    [InlineData("limit=-1", "limit")]
    [InlineData("limit=99999999999", "limit")]
    [InlineData("limit=x", "limit")]
    [InlineData("after=x", "after")]
    [InlineData("after=%00", "after")]
    [InlineData("after=1%27%20OR%201=1", "after")]
    public async Task A_bad_query_is_400_and_named(string query, string field)
    {
        var service = await fixture.GetAsync();

        var answer = await service.Http.GetAsync(NewShopper(), $"/api/orders?{query}");

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal([field], answer.Fields);
    }
}
