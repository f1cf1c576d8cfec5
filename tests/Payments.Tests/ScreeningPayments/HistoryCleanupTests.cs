using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Shop.Payments.ScreeningPayments;
using Shop.Testing;

namespace Shop.Payments.Tests.ScreeningPayments;

/// <summary>What nobody remembers any more is not on the disk either.</summary>
public sealed class HistoryCleanupTests(PostgresFixture postgres)
{
    private const int Old = 12_000;

    private static readonly TimeSpan Forgotten = History.Memory + HistoryCleanup.Slack + TimeSpan.FromDays(1);

    [Fact]
    public async Task Keys_that_were_not_seen_for_long_are_deleted_in_steps_and_what_is_in_use_waits()
    {
        await using var shop = await TestShop.StartAsync(postgres, providerIsUp: false);
        var payments = shop.StartPayments();
        var now = DateTimeOffset.UtcNow;
        await AddAsync(payments, Old, now - Forgotten);
        await AddAsync(payments, 3, now - History.Memory);
        await AddAsync(payments, 2, now);
        // somebody's clock is wrong by a thousand years
        await AddAsync(payments, 1, now.AddYears(1_000));
        await using (var scope = payments.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<PaymentsDb>();
            await using var transaction = await db.Database.BeginTransactionAsync(TestContext.Current.CancellationToken);
            await db.Database.ExecuteSqlAsync($"SELECT FROM screening_histories WHERE last_at = {now - Forgotten} ORDER BY key LIMIT 4 FOR UPDATE", TestContext.Current.CancellationToken);
            await CleanAsync(payments);
            Assert.Equal(4 + 3 + 2 + 1, await CountAsync(payments));
        }
        await CleanAsync(payments);
        Assert.Equal(3 + 2 + 1, await CountAsync(payments));
    }

    [Fact]
    public async Task A_shop_that_was_away_for_a_year_goes_on_with_what_it_knew()
    {
        await using var shop = await TestShop.StartAsync(postgres, providerIsUp: false);
        var payments = shop.StartPayments();
        var last = DateTimeOffset.UtcNow.AddYears(-1);
        await CleanAsync(payments);
        await AddAsync(payments, 1, last);
        await AddAsync(payments, 5, last - History.Memory);
        await AddAsync(payments, 7, last - Forgotten);
        await CleanAsync(payments);
        Assert.Equal(6, await CountAsync(payments));
    }

    /// <summary>So a decision does not depend on when the cleanup was.</summary>
    [Theory]
    [InlineData(180, 1)]
    [InlineData(181, 0)]
    public async Task What_is_still_on_the_disk_is_not_known_any_more_either(int days, int known)
    {
        await using var shop = await TestShop.StartAsync(postgres, providerIsUp: false);
        var payments = shop.StartPayments();
        var then = DateTimeOffset.UnixEpoch.AddDays(20_000);
        var facts = new PaymentFacts(Guid.CreateVersion7(), then, "shopper", "card", null, null, null, 10, "EUR", then);
        await UseAsync(histories => new Screener(new()).Screen(facts, HistoryKeys.Of(facts), histories), then);
        await UseAsync(histories => Assert.Equal((known, known), (histories.Card.Total, histories.Shopper.Total)), then.AddDays(days));

        Task<int> UseAsync(Action<Histories> use, DateTimeOffset at) => payments.QueryAsync(async db =>
        {
            var (keys, amounts) = (HistoryKeys.Of(facts), HistoryKeys.OfAmounts("EUR", 0));
            await using var transaction = await db.Database.BeginTransactionAsync(TestContext.Current.CancellationToken);
            await db.Histories.LoadAsync(keys.All().Append(amounts), TestContext.Current.CancellationToken);
            use(db.Histories.Of(keys, amounts, at));
            var saved = await db.SaveChangesAsync(TestContext.Current.CancellationToken);
            await transaction.CommitAsync(TestContext.Current.CancellationToken);
            return saved;
        });
    }

    private static Task CleanAsync(PaymentsInstance payments) => payments.Services.GetRequiredService<HistoryCleanup>().RunOnceAsync(TestContext.Current.CancellationToken);

    private static Task<int> CountAsync(PaymentsInstance payments) => payments.QueryAsync(db => db.Database.SqlQuery<int>($"SELECT count(*)::int AS \"Value\" FROM screening_histories").SingleAsync());

    private static Task<int> AddAsync(PaymentsInstance payments, int count, DateTimeOffset lastAt) => payments.QueryAsync(db => db.Database.ExecuteSqlAsync(
        $"INSERT INTO screening_histories (key, state, version, last_at) SELECT gen_random_uuid(), '', 1, {lastAt} FROM generate_series(1, {count})"));
}
