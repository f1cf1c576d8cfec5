using System.Net;
using Shop.Contracts;
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
    public async Task Orders_of_a_status_are_found_page_by_page_while_orders_arrive_and_change()
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var submitted = new List<Guid>();
        for (var i = 0; i < 8; i++)
            submitted.Add((await service.Http.SubmitAsync(shopper)).Id);
        foreach (var id in submitted.Where((_, i) => i % 2 == 0))
        {
            await service.ProduceAsync(new StockRejected(id, []));
            await service.Http.BecomesAsync("cancelled", shopper, id);
        }

        async Task<List<Guid>> ListAsync(string status)
        {
            var listed = new List<Guid>();
            for (string? after = ""; after is not null;)
            {
                var page = await service.Http.GetAsync(shopper, $"/api/orders?status={status}&limit=1{(after.Length == 0 ? "" : $"&after={after}")}");
                listed.AddRange(page.Json.GetProperty("items").EnumerateArray().Select(order => order.GetProperty("id").GetGuid()));
                after = page.Json.GetProperty("next").GetString();
                await service.Http.SubmitAsync(shopper);
            }
            return listed;
        }

        Assert.Equal(submitted.Where((_, i) => i % 2 == 0).Reverse(), await ListAsync("cancelled"));
        Assert.Empty(await ListAsync("inReview"));
        // new ones came before the page that was read, and the old ones are all there
        Assert.Equal(submitted.Where((_, i) => i % 2 == 1).Reverse(), (await ListAsync("submitted")).Where(submitted.Contains));
    }

    [Fact]
    public async Task Whoever_walks_the_pages_while_many_orders_arrive_sees_each_that_was_there_once()
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var before = (await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => service.Http.SubmitAsync(shopper)))).Select(answer => answer.Id).ToList();
        using var walked = new CancellationTokenSource();
        var arriving = Task.Run(async () =>
        {
            while (!walked.IsCancellationRequested)
                await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => service.Http.SubmitAsync(shopper)));
        }, TestContext.Current.CancellationToken);

        var listed = new List<Guid>();
        for (string? after = ""; after is not null;)
        {
            var page = await service.Http.GetAsync(shopper, $"/api/orders?limit=7{(after.Length == 0 ? "" : $"&after={after}")}");
            listed.AddRange(page.Json.GetProperty("items").EnumerateArray().Select(order => order.GetProperty("id").GetGuid()));
            after = page.Json.GetProperty("next").GetString();
        }
        await walked.CancelAsync();
        await arriving;

        Assert.Equal(listed.Distinct().Count(), listed.Count);
        Assert.Equal(before.OrderDescending(), listed.Where(before.Contains));
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
    [InlineData("limit=", "limit")]
    [InlineData("limit=1e1", "limit")]
    [InlineData("limit=1&limit=2", "limit")]
    [InlineData("status=", "status")]
    [InlineData("status=Cancelled", "status")]
    [InlineData("status=lost", "status")]
    [InlineData("status=cancelled&status=submitted", "status")]
    [InlineData("status=%00", "status")]
    [InlineData("status=%ed%a0%80", "status")]
    [InlineData("status=cancelled%27;DROP%20TABLE%20orders;--", "status")]
    [InlineData("after=", "after")]
    [InlineData("after=x", "after")]
    [InlineData("after=01a2055e-20d9-76ac-b2d2-47ee76b48253,01a2055e-20d9-76ac-b2d2-47ee76b48253", "after")]
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
