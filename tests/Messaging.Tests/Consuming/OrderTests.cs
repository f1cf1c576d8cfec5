using Microsoft.EntityFrameworkCore;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Consuming;

public sealed class OrderTests(PostgresFixture postgres, BrokerFixture brokers)
{
    private const int Changes = 10_000, ChangesPerTransaction = 5, Writers = 4;

    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Long]
    [Theory, MemberData(nameof(Both))]
    public async Task Two_instances_change_the_same_aggregates_and_every_key_keeps_its_order(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        await using var locking = await service.StartAsync();
        await using var versioning = await service.StartAsync();
        // one of them takes half of all changes
        var counters = Journals.New(6);
        await locking.ChangeAsync(db => db.AddRangeAsync(counters.Select(id => new Counter { Id = id })));
        Guid CounterOf(int transaction) => counters[transaction % 2 == 0 ? 0 : 1 + (transaction / 2 % 5)];

        // half of the changes by each instance, one under a lock, the other under the aggregate's version
        var transactions = Enumerable.Range(0, Changes / ChangesPerTransaction).ToList();
        await Task.WhenAll(
            Parallel.ForEachAsync(transactions.Where(n => n / 2 % 2 == 0), new ParallelOptions { MaxDegreeOfParallelism = Writers }, async (n, _) => await ChangeLockedAsync(locking, CounterOf(n))),
            Parallel.ForEachAsync(transactions.Where(n => n / 2 % 2 == 1), new ParallelOptions { MaxDegreeOfParallelism = Writers }, async (n, _) => await ChangeVersionedAsync(versioning, CounterOf(n))));

        var versions = await locking.QueryAsync(db => db.Counters.ToDictionaryAsync(counter => counter.Id, counter => counter.Version));
        Assert.Equal(Changes, versions.Values.Sum());
        await service.HaveEntriesAsync(Changes);
        var published = (await service.Topics.ReadAsync(service.Notes)).DistinctBy(record => record.Id).ToLookup(record => record.Key, record => ((Noted)record.Event!).Number);
        foreach (var (id, version) in versions)
        {
            var all = Enumerable.Range(1, version).ToList();
            Assert.Equal(all, published[id.ToString()]);
            Assert.Equal(all, await service.EntriesAsync(id));
        }
    }

    private static Task ChangeLockedAsync(ServiceHarness<TestDb> instance, Guid id) => instance.ChangeAsync(async db =>
    {
        await db.Database.BeginTransactionAsync();
        var counter = await db.Counters.FromSql($"SELECT * FROM counters WHERE id = {id} FOR UPDATE").SingleAsync();
        Change(db, counter);
        await db.SaveChangesAsync();
        await db.Database.CommitTransactionAsync();
    });

    private static async Task ChangeVersionedAsync(ServiceHarness<TestDb> instance, Guid id)
    {
        while (true)
        {
            try
            {
                await instance.ChangeAsync(async db => Change(db, await db.Counters.SingleAsync(counter => counter.Id == id)));
                return;
            }
            catch (DbUpdateConcurrencyException)
            {
                // somebody was quicker: once more, from the newer version
            }
        }
    }

    private static void Change(TestDb db, Counter counter)
    {
        for (var i = 0; i < ChangesPerTransaction; i++)
            db.Publish(new Noted(counter.Id, ++counter.Version));
    }
}
