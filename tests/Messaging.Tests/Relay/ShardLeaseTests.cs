using Npgsql;
using Shop.Messaging.Outbox;
using Shop.Messaging.Relay;
using Shop.Testing;

namespace Shop.Messaging.Tests.Relay;

/// <summary>The shards of the outbox are shared out evenly, and one that dies leaves its share to the others.</summary>
public sealed class ShardLeaseTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Instances_share_the_shards_evenly_as_they_come_and_go()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var dataSource = NpgsqlDataSource.Create(database);
        var cancellation = TestContext.Current.CancellationToken;
        await using var first = await JoinAsync(dataSource);
        Assert.Equal(OutboxShards.Count, first.Leases.Shards.Length);

        await using var second = await JoinAsync(dataSource);
        Assert.Empty(second.Leases.Shards);
        await first.Leases.BalanceAsync(cancellation);
        Assert.True(first.Leases.HasSurplus);
        await first.Leases.ReleaseSurplusAsync(cancellation);
        await second.Leases.BalanceAsync(cancellation);
        Assert.Equal((8, 8), (first.Leases.Shards.Length, second.Leases.Shards.Length));
        Assert.Equal(0, first.Leases.Mask & second.Leases.Mask);

        // a third one: 6 at most for each
        await using var third = await JoinAsync(dataSource);
        foreach (var member in (Member[])[first, second])
        {
            await member.Leases.BalanceAsync(cancellation);
            Assert.True(member.Leases.HasSurplus);
            await member.Leases.ReleaseSurplusAsync(cancellation);
        }
        await third.Leases.BalanceAsync(cancellation);
        Assert.Equal([6, 6, 4], ((Member[])[first, second, third]).Select(member => member.Leases.Shards.Length));

        // the session ends as that of a killed process does
        await using (var kill = dataSource.CreateCommand($"SELECT pg_terminate_backend({second.Connection.ProcessID})"))
            await kill.ExecuteNonQueryAsync(cancellation);
        await Eventually.BecomesAsync(2, async () =>
        {
            await first.Leases.BalanceAsync(cancellation);
            await third.Leases.BalanceAsync(cancellation);
            return first.Leases.Instances;
        });
        Assert.Equal((8, 8), (first.Leases.Shards.Length, third.Leases.Shards.Length));
        Assert.Equal(0xffff, first.Leases.Mask | third.Leases.Mask);
    }

    private static async Task<Member> JoinAsync(NpgsqlDataSource dataSource)
    {
        var connection = await dataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);
        var member = new Member(connection, new(connection));
        await member.Leases.JoinAsync(TestContext.Current.CancellationToken);
        await member.Leases.BalanceAsync(TestContext.Current.CancellationToken);
        return member;
    }

    private sealed record Member(NpgsqlConnection Connection, ShardLeases Leases) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => Connection.DisposeAsync();
    }
}
