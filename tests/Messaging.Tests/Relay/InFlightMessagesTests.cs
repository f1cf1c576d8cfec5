using Npgsql;
using Shop.Messaging.Relay;
using Shop.Testing;

namespace Shop.Messaging.Tests.Relay;

/// <summary>What the broker has leaves the outbox, and nothing else does.</summary>
public sealed class InFlightMessagesTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Only_the_rows_that_were_acknowledged_are_deleted_whatever_lies_between_them()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var dataSource = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await using (var create = dataSource.CreateCommand("CREATE TABLE outbox AS SELECT id::bigint FROM generate_series(1, 1000) id; ALTER TABLE outbox ADD PRIMARY KEY (id)"))
            await create.ExecuteNonQueryAsync(cancellation);
        var random = new Random(4711);
        var acknowledged = Enumerable.Range(1, 1000).Where(id => id is > 200 and < 400 || (id > 400 && random.Next(3) > 0)).Select(id => (long)id).ToArray();
        random.Shuffle(acknowledged);
        var rows = new InFlightMessages(dataSource);
        foreach (var id in acknowledged)
            rows.Add(id);

        foreach (var id in acknowledged)
            rows.Acknowledge(id);
        await rows.WaitUntilEmptyAsync(TimeSpan.FromSeconds(30));
        await rows.CompleteAsync();

        Assert.Equal(0, rows.Count);
        await using var left = dataSource.CreateCommand("SELECT array_agg(id ORDER BY id) FROM outbox");
        Assert.Equal(Enumerable.Range(1, 1000).Select(id => (long)id).Except(acknowledged), (long[])(await left.ExecuteScalarAsync(cancellation))!);
    }
}
