using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Shop.Messaging.Operations;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Operations;

/// <summary>What is old goes, and what a redrive may need stays.</summary>
public sealed class HousekeepingTests(PostgresFixture postgres, BrokerFixture brokers)
{
    [Fact]
    public async Task Old_rows_go_and_what_a_redrive_may_need_stays()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        // only for its tables: it does this by itself each minute
        await (await service.StartAsync()).DisposeAsync();
        await using var dataSource = NpgsqlDataSource.Create(service.Database);
        Guid letter = Guid.CreateVersion7(), ended = Guid.CreateVersion7();
        // 12,000 old rows and 10 new ones; the other endpoint has a dead letter since 20 days, and a record parked behind it since 15
        await using (var rows = dataSource.CreateCommand($"""
            INSERT INTO inbox (event_id, endpoint, received_at) SELECT gen_random_uuid(), 'free', now() - interval '8 days' FROM generate_series(1, 12000);
            INSERT INTO inbox (event_id, endpoint, received_at) SELECT gen_random_uuid(), 'free', now() - interval '6 days' FROM generate_series(1, 10);
            INSERT INTO inbox (event_id, endpoint, received_at) VALUES ('{letter}', 'parked', now() - interval '20 days');
            INSERT INTO inbox (event_id, endpoint, received_at) SELECT gen_random_uuid(), 'parked', now() - interval '19 days' FROM generate_series(1, 100);
            INSERT INTO inbox (event_id, endpoint, received_at) SELECT gen_random_uuid(), 'parked', now() - interval '14 days' FROM generate_series(1, 20);
            INSERT INTO parked_records (endpoint, topic, partition, record_offset, key, headers, parked_at) VALUES ('parked', 't', 0, 1, 'k', '[]', now() - interval '15 days');
            INSERT INTO dead_letters (id, endpoint, topic, partition, record_offset, key, event_id, headers, error_type, error_message, stack_trace, failed_at, status) VALUES
              (gen_random_uuid(), 'parked', 't', 0, 0, 'k', '{letter}', '[]', '', '', '', now() - interval '20 days', 'parked'),
              ('{ended}', 'free', 't', 0, 0, 'k', gen_random_uuid(), '[]', '', '', '', now() - interval '31 days', 'redriven'),
              (gen_random_uuid(), 'free', 't', 0, 0, 'k', gen_random_uuid(), '[]', '', '', '', now() - interval '29 days', 'discarded');
            """))
            await rows.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        var housekeeping = HousekeepingOf(dataSource);
        Assert.Equal(12_000 + 100 + 1, await housekeeping.CleanAsync(TestContext.Current.CancellationToken));

        Assert.Equal(10, await service.CountAsync("SELECT count(*) FROM inbox WHERE endpoint = 'free'"));
        Assert.Equal(21, await service.CountAsync("SELECT count(*) FROM inbox WHERE endpoint = 'parked'"));
        Assert.Equal(1, await service.CountAsync($"SELECT count(*) FROM inbox WHERE event_id = '{letter}'"));
        Assert.Equal(0, await service.CountAsync($"SELECT count(*) FROM dead_letters WHERE id = '{ended}'"));
        Assert.Equal(2, await service.CountAsync("SELECT count(*) FROM dead_letters"));
        Assert.Equal(0, await housekeeping.CleanAsync(TestContext.Current.CancellationToken));

        // once the letter is ended, its key's memory may go as well
        await using (var end = dataSource.CreateCommand("DELETE FROM parked_records; UPDATE dead_letters SET status = 'discarded' WHERE status = 'parked'"))
            await end.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        Assert.Equal(21, await housekeeping.CleanAsync(TestContext.Current.CancellationToken));
    }

    [Long]
    [Fact]
    public async Task A_round_goes_on_until_all_that_is_due_is_gone()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        // only for its tables: it does this by itself each minute
        await (await service.StartAsync()).DisposeAsync();
        await using var dataSource = NpgsqlDataSource.Create(service.Database);
        // more than a minute's worth at 10,000 events a second
        await using (var rows = dataSource.CreateCommand("INSERT INTO inbox (event_id, endpoint, received_at) SELECT gen_random_uuid(), 'free', now() - interval '8 days' FROM generate_series(1, 510000)"))
        {
            rows.CommandTimeout = 0;
            await rows.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(510_000, await HousekeepingOf(dataSource).CleanAsync(TestContext.Current.CancellationToken));
    }

    [Long]
    [Fact]
    public async Task A_service_does_it_by_itself()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        await using var instance = await service.StartAsync();
        await using var dataSource = NpgsqlDataSource.Create(service.Database);
        await using (var rows = dataSource.CreateCommand("INSERT INTO inbox (event_id, endpoint, received_at) VALUES (gen_random_uuid(), 'free', now() - interval '8 days')"))
            await rows.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        await Eventually.BecomesAsync(0L, () => service.CountAsync("SELECT count(*) FROM inbox"));
    }

    private static Housekeeping HousekeepingOf(NpgsqlDataSource dataSource) =>
        new(dataSource, Options.Create(new MessagingRetention()), TimeProvider.System, NullLogger<Housekeeping>.Instance);
}
