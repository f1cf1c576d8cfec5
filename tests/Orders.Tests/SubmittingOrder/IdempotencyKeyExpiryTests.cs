using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Shop.Testing;
using static Shop.Orders.Tests.Requests;

namespace Shop.Orders.Tests.SubmittingOrder;

public sealed class IdempotencyKeyExpiryTests(OrdersFixture fixture)
{
    [Fact]
    public async Task An_expired_key_makes_a_new_order_whatever_its_body_and_is_then_that_orders()
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var first = await service.Http.SubmitAsync(shopper, "key");
        await AgeAsync(service, shopper, "key", days: 8);

        var second = await service.Http.SubmitAsync(shopper, "key", Body(lines: """[{"sku":"mug-blue","quantity":3}]"""));

        Assert.Equal(HttpStatusCode.Accepted, second.Status);
        Assert.NotEqual(first.Id, second.Id);
        Assert.Equal(second, await service.Http.SubmitAsync(shopper, "key", Body(lines: """[{"sku":"mug-blue","quantity":3}]""")));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await service.Http.SubmitAsync(shopper, "key")).Status);
        Assert.Equal(3, await service.RowsOfAsync(shopper));
    }

    [Fact]
    public async Task A_key_that_has_not_expired_yet_is_still_its_orders()
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var first = await service.Http.SubmitAsync(shopper, "key");
        await AgeAsync(service, shopper, "key", days: 6);

        Assert.Equal(first.Id, (await service.Http.SubmitAsync(shopper, "key")).Id);
    }

    [Fact]
    public async Task Fifty_submissions_at_once_with_an_expired_key_are_one_new_order()
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var first = await service.Http.SubmitAsync(shopper, "key");
        await AgeAsync(service, shopper, "key", days: 8);

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => service.Http.SubmitAsync(shopper, "key")));

        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
        Assert.Equal(HttpStatusCode.Accepted, answers[0].Status);
        Assert.NotEqual(first.Id, answers[0].Id);
        Assert.Equal(3, await service.RowsOfAsync(shopper));
    }

    [Fact]
    public async Task Expired_keys_are_deleted_and_no_others()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        await using var service = await OrdersFixture.StartWithCatalogAsync(await fixture.CreateDatabaseAsync(), broker.BootstrapServers,
            ("IdempotencyKeys:CleanupInterval", "00:00:00.100"), ("IdempotencyKeys:Lifetime", "2.00:00:00"));
        var shopper = NewShopper();
        foreach (var key in new[] { "young", "old", "older" })
            await service.Http.SubmitAsync(shopper, key);
        // more than a step takes
        await service.QueryAsync(db => db.Database.ExecuteSqlAsync($"""
            INSERT INTO idempotency_keys SELECT 'many', i::text, ''::bytea, gen_random_uuid(), now() - interval '9 days' FROM generate_series(1, 2500) AS i
            """));
        await AgeAsync(service, shopper, "young", days: 1);
        await AgeAsync(service, shopper, "old", days: 3);
        await AgeAsync(service, shopper, "older", days: 30);

        await Eventually.BecomesAsync("young", () => service.QueryAsync(async db =>
            string.Join(' ', await db.IdempotencyKeys.Where(key => key.ShopperId == shopper || key.Key == "2500").Select(key => key.Key).ToListAsync())));
        await Eventually.BecomesAsync(1, () => service.QueryAsync(db => db.IdempotencyKeys.CountAsync()));
        Assert.Equal(3, await service.QueryAsync(db => db.Orders.CountAsync(order => order.ShopperId == shopper)));
    }

    [Fact]
    public async Task Keys_that_are_forgotten_within_the_hour_are_no_start()
    {
        var database = await fixture.CreateDatabaseAsync();
        var refusal = Assert.Throws<OptionsValidationException>(() => new OrdersService(database, "127.0.0.1:1", ("IdempotencyKeys:Lifetime", "00:59:59")));
        Assert.Contains("IdempotencyKeys:Lifetime must be from 01:00:00", refusal.Message, StringComparison.Ordinal);
    }

    private static Task AgeAsync(OrdersService service, string shopper, string key, int days) => service.QueryAsync(db => db.IdempotencyKeys
        .Where(used => used.ShopperId == shopper && used.Key == key)
        .ExecuteUpdateAsync(set => set.SetProperty(used => used.CreatedAt, used => used.CreatedAt.AddDays(-days))));
}
