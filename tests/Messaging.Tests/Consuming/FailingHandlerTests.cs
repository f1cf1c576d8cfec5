using Microsoft.EntityFrameworkCore;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Consuming;

/// <summary>What passes by itself is tried again until it has passed; nothing of it becomes a dead letter.</summary>
public sealed class FailingHandlerTests(PostgresFixture postgres, BrokerFixture brokers)
{
    public static TheoryData<Broker> Both => RunningBroker.Both;

    /// <summary>Statements that fail as the database itself would.</summary>
    public static TheoryData<string> TransientFailures =>
    [
        "DO $$ BEGIN RAISE SQLSTATE '40001' USING MESSAGE = 'could not serialize access due to concurrent update'; END $$",
        "DO $$ BEGIN RAISE SQLSTATE '40P01' USING MESSAGE = 'deadlock detected'; END $$",
        "DO $$ BEGIN RAISE SQLSTATE '53300' USING MESSAGE = 'sorry, too many clients already'; END $$",
        "SELECT pg_terminate_backend(pg_backend_pid())",
    ];

    [Theory, MemberData(nameof(TransientFailures))]
    public async Task A_failure_that_passes_is_retried_until_it_has_passed(string failure)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        var attempts = 0;
        await using var instance = await service.StartAsync(new()
        {
            OnNoted = async (noted, db) =>
            {
                if (noted.Number == 5 && Interlocked.Increment(ref attempts) <= 3)
                    await db.Database.ExecuteSqlRawAsync(failure);
            },
        });
        var journals = Journals.New(3);

        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 10));

        await service.HaveEntriesAsync(30);
        await service.HaveExactlyAsync(journals, 10);
        Assert.True(attempts > 3);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_deadlock_of_two_handlers_is_resolved(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        var rows = Journals.New(2);
        var locked = new[] { new TaskCompletionSource(), new TaskCompletionSource() };
        var arrivals = 0;
        await using var instance = await service.StartAsync(new()
        {
            OnNoted = async (noted, db) =>
            {
                // the first two lanes lock the same two rows, each in its own order, and the second row only when both have their first
                var first = Interlocked.Increment(ref arrivals) - 1;
                if (first > 1)
                    return;
                await LockAsync(db, rows[first]);
                locked[first].SetResult();
                await locked[1 - first].Task;
                await LockAsync(db, rows[1 - first]);
            },
        });
        await instance.ChangeAsync(db => db.AddRangeAsync(rows.Select(id => new Counter { Id = id })));
        await instance.HasLoggedAsync("PartitionsAssigned");
        var journals = Journals.New(60);

        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 2));

        await service.HaveEntriesAsync(120);
        await service.HaveExactlyAsync(journals, 2);
        Assert.Contains("BatchRetried", instance.LoggedEvents);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_handler_that_gives_up_waiting_is_a_failed_handler_and_not_a_stopped_service(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        await using var instance = await service.StartAsync(new()
        {
            OnPrefetch = notes => _ = notes.Any(noted => noted.Number == 2) ? throw new TaskCanceledException("no answer in time") : 0,
        });
        var journals = Journals.New(1);

        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 3));

        await Eventually.BecomesAsync(1L, () => instance.CountAsync("parked_records"));
        Assert.Contains("no answer in time", Assert.Single(await instance.DeadLettersAsync()).Error);
    }

    private static Task<int> LockAsync(TestDb db, Guid row) => db.Database.ExecuteSqlAsync($"SELECT FROM counters WHERE id = {row} FOR UPDATE");
}
