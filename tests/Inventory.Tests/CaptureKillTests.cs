using System.Globalization;
using System.Text.Json;
using Npgsql;
using Shop.Contracts;
using Shop.Inventory.Tests.Hosting;
using Shop.Testing;
using Shop.Testing.Processes;

namespace Shop.Inventory.Tests;

/// <summary>Whoever is killed while products change, the topic <c>catalog</c> becomes what the table is.</summary>
public sealed class CaptureKillTests
{
    private const int Changes = 10_000, Skus = 60;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(15);

    /// <summary>How often somebody is killed: reader, broker and database in turn. Each takes seconds to come back, Apache Kafka a minute, so many are for a run of their own.</summary>
    private static int KillsOn(Broker broker) =>
        int.Parse(Environment.GetEnvironmentVariable("SHOP_TEST_CAPTURE_KILLS") ?? (broker == Broker.Apache ? "3" : "6"), CultureInfo.InvariantCulture);

    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    /// <summary>Random changes, transactions rolled back among them, while readers, broker and database are killed, and readers lose their session, broker and database.</summary>
    [Long]
    [Theory, MemberData(nameof(Brokers))]
    public async Task The_topic_is_what_the_table_is_whoever_is_killed(Broker broker)
    {
        await using var shop = await CapturedShop.StartAsync(broker);
        var (kills, repairing) = (KillsOn(broker), Task.CompletedTask);
        var (done, killed) = (0, 0);
        // a cut after every second kill
        for (var turn = 0; killed < kills || turn % 3 == 2; turn++)
        {
            await repairing;
            await shop.IsReadAsync();
            var until = Changes * (turn + 1) / (kills + (kills / 2) + 1);
            // a cut lasts longer than it takes to notice
            for (; done < until - (turn % 3 < 2 ? 50 : 300); done++)
                await shop.ChangeAsync();
            if (turn % 3 < 2)
                repairing = shop.KillAsync(killed++ % 3);
            else
                repairing = shop.Cut(turn / 3 % 3);
            for (; done < until; done++)
                await shop.ChangeAsync();
            shop.Resume();
        }
        await repairing;
        for (; done < Changes; done++)
            await shop.ChangeAsync();

        Assert.True(await shop.ScalarAsync<long>("SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE oid = 'products'::regclass") > 0, "no value was large enough to be kept beside its row");
        var rows = await shop.TableAsync();
        var topic = new Dictionary<string, string>();
        await Eventually.BecomesTrueAsync(async () => Same(rows, topic = await shop.TopicAsync()), Deadline);
        Assert.Equal(rows.OrderBy(row => row.Key), topic.OrderBy(row => row.Key));
    }

    private static bool Same(Dictionary<string, string> expected, Dictionary<string, string> actual) =>
        expected.Count == actual.Count && expected.All(row => actual.TryGetValue(row.Key, out var value) && value == row.Value);

    /// <summary>Two instances with a database and a broker that are theirs alone, so that those can be killed.</summary>
    private sealed class CapturedShop : IAsyncDisposable
    {
        private readonly Random _random = new(20261129);
        private readonly PostgresCluster _cluster;
        private readonly KillableBroker _broker;
        private readonly NpgsqlDataSource _database;
        private readonly List<BreakableInventory> _instances = [];
        private readonly KafkaClient _kafka;

        private CapturedShop(PostgresCluster cluster, KillableBroker broker, string database)
        {
            (_cluster, _broker, _database) = (cluster, broker, NpgsqlDataSource.Create(database));
            _kafka = new(broker.BootstrapServers);
        }

        public static async Task<CapturedShop> StartAsync(Broker broker)
        {
            var cluster = await PostgresCluster.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
            var database = await cluster.CreateDatabaseAsync("captured", TestContext.Current.CancellationToken);
            var shop = new CapturedShop(cluster, await KillableBroker.StartAsync(broker), database);
            foreach (var name in (string[])["one", "other"])
                shop._instances.Add(await BreakableInventory.StartAsync(name, database, shop._broker.BootstrapServers));
            return shop;
        }

        /// <summary>Returns when an instance reads the log.</summary>
        public Task IsReadAsync() => Eventually.BecomesTrueAsync(async () => await ReaderAsync() is not null, Deadline);

        /// <summary>A random change, or one that is rolled back; again, where the database went away meanwhile.</summary>
        public async Task ChangeAsync()
        {
            var (sku, other) = ($"random-{_random.Next(Skus)}", $"random-{_random.Next(Skus)}");
            // texts that PostgreSQL keeps beside the row: an update of the price does not tell them
            var text = $"(SELECT coalesce(string_agg(md5(i::text || '{sku}'), ''), '') FROM generate_series(1, {_random.Next(4) * 60}) i)";
            var statement = _random.Next(10) switch
            {
                < 4 => $"INSERT INTO products (sku, name, description, price_amount, price_currency) VALUES ('{sku}', 'n{_random.Next()}', {text}, 1, 'EUR') ON CONFLICT DO NOTHING",
                < 8 => $"UPDATE products SET price_amount = {_random.Next(1, 1000)}.25 WHERE sku = '{sku}'",
                8 => $"DELETE FROM products WHERE sku = '{sku}'",
                _ => $"UPDATE products SET sku = '{other}' WHERE sku = '{sku}' AND NOT EXISTS (SELECT FROM products WHERE sku = '{other}')",
            };
            var sql = _random.Next(5) == 0 ? $"BEGIN; {statement}; ROLLBACK" : statement;
            await Eventually.BecomesTrueAsync(async () =>
            {
                try
                {
                    await using var command = _database.CreateCommand(sql);
                    await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
                    return true;
                }
                catch (NpgsqlException e) when (e.IsTransient || e.SqlState is PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.AdminShutdown)
                {
                    return false;
                }
            }, Deadline);
        }

        /// <summary>Kills the reader (0), the broker (1) or the database (2), and starts it again.</summary>
        public async Task KillAsync(int who)
        {
            if (who == 1)
            {
                await _broker.RestartAsync();
                return;
            }
            (string Name, int Process)? reader = null;
            await Eventually.BecomesTrueAsync(async () => (reader = await ReaderAsync()) is not null, Deadline);
            var (name, process) = reader!.Value;
            if (who == 0)
                await _instances.Single(instance => instance.Name == name).RestartAsync();
            else // where one of its processes is killed the server ends all others, and recovers from its log
                Assert.True(Signals.Send(process, Signals.Kill));
        }

        /// <summary>Ends the reader's session (0), or takes the broker (1) or the database (2) from all instances.</summary>
        public async Task Cut(int what)
        {
            if (what == 0)
                await ScalarAsync<bool>("SELECT coalesce(bool_or(pg_terminate_backend(active_pid)), false) FROM pg_replication_slots WHERE active_pid IS NOT NULL");
            else
                _instances.ForEach(instance => (what == 1 ? instance.Kafka : instance.Database).Cut());
        }

        /// <summary>Ends what <see cref="Cut"/> began.</summary>
        public void Resume() => _instances.ForEach(instance =>
        {
            instance.Kafka.Resume();
            instance.Database.Resume();
        });

        public async Task<T> ScalarAsync<T>(string sql)
        {
            await using var command = _database.CreateCommand(sql);
            return (T)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
        }

        public async Task<Dictionary<string, string>> TableAsync()
        {
            await using var command = _database.CreateCommand("SELECT sku, name, description, price_amount FROM products");
            await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
            var table = new Dictionary<string, string>();
            while (await reader.ReadAsync(TestContext.Current.CancellationToken))
                table.Add(reader.GetString(0), JsonSerializer.Serialize(new ProductChanged(reader.GetString(0), reader.GetString(1), reader.GetString(2), new(reader.GetDecimal(3), "EUR")), ContractsJson.Default.ProductChanged));
            return table;
        }

        public async Task<Dictionary<string, string>> TopicAsync()
        {
            var newest = new Dictionary<string, string>();
            foreach (var read in await _kafka.ReadToEndAsync(Topics.Catalog, _ => true))
                newest[read.Key] = read.Body;
            return newest.Where(product => product.Value.Length > 0).ToDictionary();
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var instance in _instances)
                await instance.DisposeAsync();
            _kafka.Dispose();
            await _database.DisposeAsync();
            await _broker.DisposeAsync();
            await _cluster.DisposeAsync();
        }

        /// <summary>The name of the instance that reads, and the server's process that serves it; null where none reads, or the database is away.</summary>
        private async Task<(string Name, int Process)?> ReaderAsync()
        {
            try
            {
                await using var command = _database.CreateCommand("SELECT a.application_name, a.pid FROM pg_replication_slots s JOIN pg_stat_activity a ON a.pid = s.active_pid");
                await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
                return await reader.ReadAsync(TestContext.Current.CancellationToken) ? (reader.GetString(0), reader.GetInt32(1)) : null;
            }
            catch (NpgsqlException)
            {
                return null;
            }
        }
    }
}
