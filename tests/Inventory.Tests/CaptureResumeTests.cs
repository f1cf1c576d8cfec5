using Npgsql;
using Shop.Contracts;
using Shop.Inventory.Tests.Hosting;
using Shop.Testing;

namespace Shop.Inventory.Tests;

/// <summary>What is captured when a reader comes back, on a database of which no other test has to see what becomes.</summary>
public sealed class CaptureResumeTests
{
    private const string Columns = "INSERT INTO products (sku, name, description, price_amount, price_currency) VALUES";

    /// <summary>Too large for its row, so that an update of something else does not tell it.</summary>
    private const string Large = "(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 200) i)";

    [Long]
    [Fact]
    public async Task A_slot_that_has_lost_its_log_while_nobody_read_is_followed_by_a_snapshot()
    {
        await using var shop = await CapturedDatabase.StartAsync();
        await using (await shop.ReadAsync())
        {
            await shop.ExecuteAsync($"{Columns} ('stays', 'n', 'd', 1, 'EUR'), ('goes', 'n', 'd', 1, 'EUR')");
            foreach (var sku in (string[])["stays", "goes"])
                Assert.NotEmpty((await shop.Kafka.NextAsync(Topics.Catalog, sku)).Body);
        }
        await shop.ExecuteAsync("DELETE FROM products WHERE sku = 'goes'; UPDATE products SET price_amount = 2 WHERE sku = 'stays'");
        await shop.AdministerAsync("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'");
        await shop.AdministerAsync("SELECT pg_reload_conf()");
        await Eventually.BecomesTrueAsync(async () =>
        {
            await shop.ExecuteAsync("SELECT pg_logical_emit_message(false, 'filler', repeat('x', 1 << 20)) FROM generate_series(1, 20)");
            await shop.AdministerAsync("SELECT pg_switch_wal()");
            await shop.AdministerAsync("CHECKPOINT");
            return await shop.ScalarAsync<bool>("SELECT wal_status = 'lost' FROM pg_replication_slots");
        });

        await using var next = await shop.ReadAsync();
        await shop.Kafka.IsToldAsync("goes", body => body.Length == 0);
        await shop.Kafka.IsToldAsync("stays", body => body.Contains("2.00", StringComparison.Ordinal));
        await shop.ExecuteAsync("UPDATE products SET price_amount = 3 WHERE sku = 'stays'");
        await shop.Kafka.IsToldAsync("stays", body => body.Contains("3.00", StringComparison.Ordinal));
    }

    [Long]
    [Fact]
    public async Task A_snapshot_that_was_cut_short_is_taken_anew()
    {
        await using var shop = await CapturedDatabase.StartAsync();
        await using (await shop.ReadAsync())
        {
            await shop.ExecuteAsync($"{Columns} ('stays', 'n', 'd', 1, 'EUR'), ('goes', 'n', 'd', 1, 'EUR')");
            foreach (var sku in (string[])["stays", "goes"])
                Assert.NotEmpty((await shop.Kafka.NextAsync(Topics.Catalog, sku)).Body);
        }
        await Eventually.BecomesTrueAsync(() => shop.ScalarAsync<bool>("SELECT NOT active FROM pg_replication_slots"));
        await shop.ExecuteAsync("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
        await shop.ExecuteAsync("DELETE FROM products WHERE sku = 'goes'; UPDATE products SET price_amount = 2 WHERE sku = 'stays'");

        // a slot is made once the transactions of the moment have ended, whether or not anybody still waits for it
        await using (var open = await shop.Database.OpenConnectionAsync(TestContext.Current.CancellationToken))
        await using (var transaction = await open.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            await using (var writing = new NpgsqlCommand("SELECT pg_current_xact_id()", open, transaction))
                await writing.ExecuteScalarAsync(TestContext.Current.CancellationToken);
            await using (await shop.ReadAsync())
                await Eventually.BecomesAsync(1L, () => shop.ScalarAsync<long>("SELECT count(*) FROM pg_replication_slots"));
        }
        await Eventually.BecomesAsync(0L, () => shop.ScalarAsync<long>("SELECT count(*) FROM pg_replication_slots WHERE active"));

        await using var next = await shop.ReadAsync();
        await shop.Kafka.IsToldAsync("goes", body => body.Length == 0);
        await shop.Kafka.IsToldAsync("stays", body => body.Contains("2.00", StringComparison.Ordinal));
    }

    [Long]
    [Fact]
    public async Task What_is_read_again_has_its_ids_again_though_rows_have_gone_meanwhile()
    {
        await using var shop = await CapturedDatabase.StartAsync();
        var reader = await shop.ReadAsync();
        await shop.ExecuteAsync($"{Columns} ('first', 'n', {Large}, 1, 'EUR'), ('second', 'n', 'd', 1, 'EUR')");
        foreach (var sku in (string[])["first", "second"])
            await shop.Kafka.NextAsync(Topics.Catalog, sku);

        // until it is killed before it has confirmed what it has published
        ReadEvent told;
        for (var price = 2; ; price++)
        {
            Assert.True(price < 100, "each time it had confirmed what it had published");
            var before = await shop.ScalarAsync<string>("SELECT pg_current_wal_lsn()::text");
            await shop.ExecuteAsync($"UPDATE products SET price_amount = {price} WHERE sku = 'first'; UPDATE products SET price_amount = {price} WHERE sku = 'second'");
            await shop.Kafka.NextAsync(Topics.Catalog, "first");
            told = await shop.Kafka.NextAsync(Topics.Catalog, "second");
            await reader.DisposeAsync();
            if (await shop.ScalarAsync<bool>($"SELECT confirmed_flush_lsn <= '{before}' FROM pg_replication_slots"))
                break;
            reader = await shop.ReadAsync();
        }
        await shop.ExecuteAsync("DELETE FROM products WHERE sku = 'first'");
        await using var next = await shop.ReadAsync();
        // what came before may not have been confirmed either
        ReadEvent again;
        while ((again = await shop.Kafka.NextAsync(Topics.Catalog, "second")).Body != told.Body)
        {
        }
        Assert.Equal(told, again);
        await shop.Kafka.IsToldAsync("first", body => body.Length == 0);
    }

    /// <summary>As a session that is slow between the two; here it waits for a standby that there is not.</summary>
    [Long]
    [Fact]
    public async Task What_is_in_the_log_before_others_see_it_is_looked_up_when_they_do()
    {
        await using var shop = await CapturedDatabase.StartAsync();
        await using var reader = await shop.ReadAsync();
        await shop.ExecuteAsync($"{Columns} ('first', 'n', {Large}, 1, 'EUR')");
        var first = await shop.Kafka.NextAsync(Topics.Catalog, "first");
        await WaitForAsync("'nobody'");

        var renaming = shop.ExecuteAsync("UPDATE products SET sku = 'renamed' WHERE sku = 'first'");
        Assert.Empty((await shop.Kafka.NextAsync(Topics.Catalog, "first")).Body);
        Assert.False(renaming.IsCompleted);
        await WaitForAsync("DEFAULT");
        await renaming;

        Assert.Equal(first.Body.Replace("first", "renamed", StringComparison.Ordinal), (await shop.Kafka.NextAsync(Topics.Catalog, "renamed")).Body);

        async Task WaitForAsync(string standbys)
        {
            foreach (var sql in (string[])[$"ALTER SYSTEM SET synchronous_standby_names = {standbys}", "SELECT pg_reload_conf()"])
                await shop.AdministerAsync(sql);
            await Eventually.BecomesTrueAsync(async () => await shop.ScalarAsync<string>("SHOW synchronous_standby_names") == (standbys == "DEFAULT" ? "" : "nobody"));
        }
    }

    /// <summary>A database of a server of its own, and a broker.</summary>
    private sealed record CapturedDatabase(PostgresCluster Cluster, RunningBroker Broker, string Connection, NpgsqlDataSource Database, NpgsqlDataSource Admin, KafkaClient Kafka) : IAsyncDisposable
    {
        public static async Task<CapturedDatabase> StartAsync()
        {
            var cluster = await PostgresCluster.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
            var broker = await RunningBroker.StartAsync(Testing.Broker.Embedded);
            var connection = await cluster.CreateDatabaseAsync("inventory", TestContext.Current.CancellationToken);
            return new(cluster, broker, connection, NpgsqlDataSource.Create(connection), NpgsqlDataSource.Create(cluster.AdminConnectionString), new(broker.BootstrapServers));
        }

        /// <summary>Starts an instance, which reads; disposing of it kills it.</summary>
        public Task<InventoryProcess> ReadAsync() => InventoryProcess.StartAsync(Connection, Broker.BootstrapServers);

        public Task ExecuteAsync(string sql) => Database.ExecuteAsync(sql);

        public Task AdministerAsync(string sql) => Admin.ExecuteAsync(sql);

        public async Task<T> ScalarAsync<T>(string sql)
        {
            await using var command = Database.CreateCommand(sql);
            return (T)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
        }

        public async ValueTask DisposeAsync()
        {
            Kafka.Dispose();
            await Database.DisposeAsync();
            await Admin.DisposeAsync();
            await Broker.DisposeAsync();
            await Cluster.DisposeAsync();
        }
    }
}
