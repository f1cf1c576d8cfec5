using Microsoft.EntityFrameworkCore;
using Npgsql;
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
        "DO $$ BEGIN RAISE SQLSTATE '57014' USING MESSAGE = 'canceling statement due to user request'; END $$",
        "DO $$ BEGIN RAISE SQLSTATE '25006' USING MESSAGE = 'cannot execute INSERT in a read-only transaction'; END $$",
        "DO $$ BEGIN RAISE SQLSTATE '53100' USING MESSAGE = 'could not extend file: No space left on device'; END $$",
        "SELECT no_such_column FROM counters",
        "SELECT pg_terminate_backend(pg_backend_pid())",
    ];

    /// <summary>Statements that fail for what they were given, and would again.</summary>
    public static TheoryData<string> LastingFailures =>
    [
        "SELECT 1 / 0",
        "INSERT INTO counters (id, version) VALUES (NULL, 1)",
        "DO $$ BEGIN RAISE SQLSTATE '54000' USING MESSAGE = 'index row size exceeds the maximum'; END $$",
        "DO $$ BEGIN RAISE EXCEPTION 'a rule of the domain'; END $$",
    ];

    [Theory, MemberData(nameof(LastingFailures))]
    public async Task A_failure_that_is_the_records_own_makes_a_dead_letter_of_it_alone(string failure)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        var journals = Journals.New(3);
        await using var instance = await service.StartAsync(new()
        {
            OnNoted = (noted, db) => noted.Number == 10 && noted.JournalId == journals[0] ? db.Database.ExecuteSqlRawAsync(failure) : Task.CompletedTask,
        });

        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 10));

        await service.HaveEntriesAsync(29);
        await Eventually.BecomesAsync(1L, () => instance.CountAsync("dead_letters"));
    }

    [Fact]
    public async Task What_is_noted_of_committed_work_is_noted_once_though_its_batch_was_rolled_back_before()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        var (attempts, noted) = (0, 0);
        await using var instance = await service.StartAsync(new()
        {
            OnNoted = async (_, db) =>
            {
                db.WhenCommitted(() => Interlocked.Increment(ref noted));
                if (Interlocked.Increment(ref attempts) == 1)
                    await db.Database.ExecuteSqlRawAsync("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$");
            },
        });

        await service.Topics.PublishAsync(service.Notes, new Noted(Guid.CreateVersion7(), 1));

        await Eventually.BecomesAsync(1, () => Task.FromResult(Volatile.Read(ref noted)));
        Assert.Equal(2, attempts);
        await service.HaveEntriesAsync(1);
    }

    [Long]
    [Fact]
    public async Task After_a_failover_to_a_server_that_was_read_only_the_service_goes_on_by_itself()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        await using var instance = await service.StartAsync();
        var journals = Journals.New(3);
        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 10));
        await service.HaveEntriesAsync(30);
        await using (var server = new NpgsqlConnection(service.Database))
        {
            await server.OpenAsync(TestContext.Current.CancellationToken);
            await using var fail = new NpgsqlCommand($"""
                ALTER DATABASE "{server.Database}" SET default_transaction_read_only = on;
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
                """, server);
            await fail.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 10, first: 11));
            await instance.HasLoggedAsync("BatchRetried");
            // writable again; the sessions that were opened meanwhile are not, and stay so
            await using var mend = new NpgsqlCommand($"ALTER DATABASE \"{server.Database}\" SET default_transaction_read_only = off", server);
            await mend.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
        await service.HaveExactlyAsync(journals, 20);
    }

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

    [Long]
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

    [Long]
    [Theory, MemberData(nameof(Both))]
    public async Task A_handler_that_gives_up_waiting_is_a_failed_handler_and_not_a_stopped_service(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        var (attempts, isMended) = (0, false);
        await using var instance = await service.StartAsync(new()
        {
            OnPrefetch = notes => _ = notes.Any(noted => noted.Number == 2) ? throw new TaskCanceledException("no answer in time") : 0,
            OnNoted = async (noted, _) =>
            {
                if (noted.Number != 4 || isMended)
                    return;
                Interlocked.Increment(ref attempts);
                await Task.Delay(Timeout.Infinite, new CancellationToken(canceled: true));
            },
        });
        var journals = Journals.New(2);

        await service.Topics.PublishAsync(service.Notes, Journals.Notes([journals[0]], 3));
        await Eventually.BecomesAsync(1L, () => instance.CountAsync("parked_records"));
        Assert.Contains("no answer in time", Assert.Single(await instance.DeadLettersAsync()).Error);

        await service.Topics.PublishAsync(service.Notes, Journals.Notes([journals[1]], 1, first: 4));
        await Eventually.BecomesAsync(2, async () => (await instance.DeadLettersAsync()).Count);
        Assert.Equal(3, attempts);

        // also where an operator has it handled again, one by one or with many others
        var letter = Assert.Single(await instance.DeadLettersAsync(), letter => letter.Key == journals[1].ToString());
        Assert.Equal(System.Net.HttpStatusCode.Conflict, await instance.RedriveAsync(letter.Id));
        var redrive = await instance.RedriveEndsAsync((await instance.BeginRedriveAsync(new(ErrorType: letter.Error[..letter.Error.IndexOf(':')]))).Location);
        Assert.Equal((0, redrive.Total), (redrive.Redriven, redrive.Failed));
        isMended = true;
        Assert.Equal(System.Net.HttpStatusCode.NoContent, await instance.RedriveAsync(letter.Id));
        await service.HaveEntriesAsync(2);
    }

    [Fact]
    public async Task A_want_of_memory_that_passes_is_no_records_fault()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        var attempts = 0;
        await using var instance = await service.StartAsync(new()
        {
            OnNoted = (_, _) => Interlocked.Increment(ref attempts) <= 3 ? throw new OutOfMemoryException() : Task.CompletedTask,
        });
        // by itself: of several records each part of their batch would be tried anew
        var journals = Journals.New(1);

        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 1));

        await service.HaveExactlyAsync(journals, 1);
        Assert.Equal(4, attempts);
    }

    private static Task<int> LockAsync(TestDb db, Guid row) => db.Database.ExecuteSqlAsync($"SELECT FROM counters WHERE id = {row} FOR UPDATE");
}
