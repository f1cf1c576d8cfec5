using Npgsql;
using Shop.Messaging.Outbox;
using Shop.Messaging.Relay;
using Shop.Testing;

namespace Shop.Messaging.Tests.Relay;

/// <summary>Whatever comes, goes, is killed or stands still: every shard of the outbox has exactly one owner again, and the shares are even.</summary>
public sealed class ShardLeaseTests(PostgresFixture postgres)
{
    private const int MostInstances = 5, Steps = 60, Sequences = 4;

    /// <summary>Rounds of balancing after which everything has found its owner: one to see who is there, one to give up, one to take.</summary>
    private const int Rounds = 3;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Long]
    [Fact]
    public async Task Instances_that_come_go_and_are_killed_leave_every_shard_with_one_owner()
    {
        await using var dataSource = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        for (var sequence = 0; sequence < Sequences; sequence++)
        {
            var seed = Random.Shared.Next();
            TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
            var random = new Random(seed);
            List<Relay> relays = [await JoinAsync(dataSource)];
            for (var step = 0; step < Steps; step++)
            {
                foreach (var relay in relays)
                    await relay.AskAsync();
                var which = random.Next(relays.Count);
                switch (random.Next(5))
                {
                    case 0 when relays.Count < MostInstances:
                        relays.Add(await JoinAsync(dataSource));
                        break;
                    case 1 when relays.Count > 1:
                        await relays[which].LeaveAsync();
                        relays.RemoveAt(which);
                        break;
                    case 2 when relays.Count > 1:
                        await relays[which].KillAsync(dataSource);
                        relays.RemoveAt(which);
                        break;
                    case 3:
                        // a restart: it may have its shards back before anybody saw that they were free
                        await relays[which].KillAsync(dataSource);
                        relays[which] = await JoinAsync(dataSource);
                        break;
                    default:
                        await relays[which].BalanceAsync();
                        break;
                }
                if (random.Next(4) == 0)
                    await HaveEveryShardOnceAsync(relays);
            }
            await HaveEveryShardOnceAsync(relays);
            foreach (var relay in relays)
                await relay.LeaveAsync();
        }
    }

    [Long]
    [Fact]
    public async Task An_instance_that_stands_still_loses_its_shards_to_the_others()
    {
        await using var dataSource = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        var (still, other) = (await JoinAsync(dataSource), await JoinAsync(dataSource));
        await HaveEveryShardOnceAsync([still, other]);

        await Eventually.BecomesAsync(OutboxShards.Count, async () =>
        {
            await other.BalanceAsync();
            return other.Leases.Shards.Length;
        });
        await Assert.ThrowsAnyAsync<NpgsqlException>(still.BalanceAsync);
        await still.Connection.DisposeAsync();
        var back = await JoinAsync(dataSource);
        await HaveEveryShardOnceAsync([back, other]);
        await other.LeaveAsync();
        await back.LeaveAsync();
    }

    private static async Task HaveEveryShardOnceAsync(IReadOnlyList<Relay> relays)
    {
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var relay in relays)
                await relay.BalanceAsync();
        }
        Assert.Equal(Enumerable.Range(0, OutboxShards.Count), relays.SelectMany(relay => relay.Leases.Shards).Select(shard => (int)shard).Order());
        var share = OutboxShards.Count / relays.Count;
        Assert.All(relays, relay => Assert.InRange(relay.Leases.Shards.Length, share, share + 1));
        Assert.All(relays, relay => Assert.Equal(relays.Count, relay.Leases.Instances));
    }

    private static async Task<Relay> JoinAsync(NpgsqlDataSource dataSource)
    {
        var connection = await dataSource.OpenConnectionAsync(Cancellation);
        var relay = new Relay(connection, new(connection));
        await relay.Leases.JoinAsync(Cancellation);
        await relay.Leases.BalanceAsync(Cancellation);
        return relay;
    }

    private sealed record Relay(NpgsqlConnection Connection, ShardLeases Leases)
    {
        /// <summary>What the relay does once a second.</summary>
        public async Task BalanceAsync()
        {
            await Leases.BalanceAsync(Cancellation);
            if (Leases.HasSurplus)
                await Leases.ReleaseSurplusAsync(Cancellation);
        }

        /// <summary>Asks something: one that the test leaves alone for long would be taken for one that stands still.</summary>
        public async Task AskAsync()
        {
            await using var ask = new NpgsqlCommand("SELECT", Connection);
            await ask.ExecuteNonQueryAsync(Cancellation);
        }

        public async Task LeaveAsync()
        {
            await Leases.LeaveAsync();
            await Connection.DisposeAsync();
        }

        /// <summary>Its session ends as that of a killed process does, which it sees when it asks the next time.</summary>
        public async Task KillAsync(NpgsqlDataSource dataSource)
        {
            await using (var kill = dataSource.CreateCommand($"SELECT pg_terminate_backend({Connection.ProcessID}, 10000)"))
                await kill.ExecuteNonQueryAsync(Cancellation);
            await Assert.ThrowsAnyAsync<NpgsqlException>(BalanceAsync);
            await Connection.DisposeAsync();
        }
    }
}
