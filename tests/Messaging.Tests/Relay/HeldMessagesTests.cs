using Npgsql;
using Shop.Messaging.Outbox;
using Shop.Messaging.Relay;
using Shop.Messaging.Schema;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Relay;

/// <summary>What rows that are held back cost: those that are not, next to nothing, and who lists what is refused, a page of it.</summary>
public sealed class HeldMessagesTests(PostgresFixture postgres, BrokerFixture brokers)
{
    /// <summary>Refused keys, and the rows of each.</summary>
    private const int Few = 100, Many = 10_000, OfEach = 50;

    /// <summary>Events that nothing holds back, and those that a page of the list has.</summary>
    private const int Free = 1_000, PageSize = 50;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Long]
    [Fact]
    public async Task The_relays_read_and_the_list_of_refused_events_look_at_a_few_pages_for_each_row_they_find_with_500_000_held_back()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        // only for its tables
        await (await service.StartAsync()).DisposeAsync();
        await using var dataSource = NpgsqlDataSource.Create(service.Database);
        await dataSource.ExecuteAsync($"""
            INSERT INTO outbox (shard, topic, key, event_id, event_type, occurred_at, body)
            SELECT i % {OutboxShards.Count}, 'said', 'free ' || i, gen_random_uuid(), 'said', now(), convert_to('some text', 'UTF8') FROM generate_series(1, {Free}) i
            """);
        await HoldAsync(dataSource, 1, Few);
        var list = await ListAsync(dataSource);

        await HoldAsync(dataSource, Few + 1, Many);
        Assert.Equal(Many * OfEach, await service.CountAsync("SELECT count(*) FROM held_messages"));
        var (readOfMany, listOfMany) = (await ReadAsync(dataSource), await ListAsync(dataSource));

        // each that nothing holds back is looked up in an index of a few levels; half a million rows fill thousands of pages more
        Assert.InRange(readOfMany.Pages, 1, 4 * Free);
        // an index that is a hundred times as large is a level or two deeper
        Assert.InRange(listOfMany.Pages, 1, 3 * list.Pages);
        Assert.Equal(Free, readOfMany.MostRows);
        Assert.Contains(readOfMany.Lines, line => line.Contains("using outbox_pkey", StringComparison.Ordinal));
        Assert.Contains(readOfMany.Lines, line => line.Contains("using refused_events_by_key", StringComparison.Ordinal));
        Assert.Contains(listOfMany.Lines, line => line.Contains("using refused_events_pkey", StringComparison.Ordinal));
        Assert.Contains(listOfMany.Lines, line => line.Contains("using held_messages_pkey", StringComparison.Ordinal));
        Assert.DoesNotContain(readOfMany.Lines.Concat(listOfMany.Lines), line => line.Contains("Seq Scan", StringComparison.Ordinal));
    }

    /// <summary>Has events of these keys refused, with those behind them.</summary>
    private static async Task HoldAsync(NpgsqlDataSource dataSource, int first, int last)
    {
        const int Id = 1_000_000;
        await dataSource.ExecuteAsync($"""
            INSERT INTO refused_events (outbox_id, topic, key, error, refused_at)
            SELECT {Id} + i * {OfEach}, 'said', 'held ' || i, 'MsgSizeTooLarge', now() FROM generate_series({first}, {last}) i;
            INSERT INTO held_messages (id, refused_id, shard, topic, key, event_id, event_type, occurred_at, body)
            SELECT {Id} + i * {OfEach} + n, {Id} + i * {OfEach}, 0, 'said', 'held ' || i, gen_random_uuid(), 'said', now(), convert_to('some text', 'UTF8')
            FROM generate_series({first}, {last}) i, generate_series(0, {OfEach - 1}) n
            """);
        await dataSource.ExecuteAsync("VACUUM ANALYZE outbox, refused_events, held_messages");
    }

    private static async Task<QueryPlan> ReadAsync(NpgsqlDataSource dataSource)
    {
        await using var connection = await dataSource.OpenConnectionAsync(Cancelled);
        await using (var settings = new NpgsqlCommand(OutboxTable.ReadSettings, connection))
            await settings.ExecuteNonQueryAsync(Cancelled);
        await using var read = OutboxTable.ReadShards(connection, Free);
        ((NpgsqlParameter<short[]>)read.Parameters[0]).TypedValue = [.. Enumerable.Range(0, OutboxShards.Count).Select(shard => (short)shard)];
        ((NpgsqlParameter<long[]>)read.Parameters[1]).TypedValue = [];
        return await QueryPlan.OfAsync(read, Cancelled);
    }

    private static async Task<QueryPlan> ListAsync(NpgsqlDataSource dataSource)
    {
        await using var list = dataSource.CreateCommand(HeldMessages.ListRefused);
        list.Parameters.Add(SqlParameter.Of(0L));
        list.Parameters.Add(SqlParameter.Of(PageSize + 1));
        return await QueryPlan.OfAsync(list, Cancelled);
    }
}
