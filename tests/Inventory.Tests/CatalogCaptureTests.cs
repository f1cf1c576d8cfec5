using System.Net;
using System.Text.Json;
using Npgsql;
using Shop.Contracts;
using Shop.Inventory.Tests.Hosting;
using Shop.Testing;

namespace Shop.Inventory.Tests;

/// <summary>Whoever changes a product, the topic <c>catalog</c> becomes what the table is.</summary>
public sealed class CatalogCaptureTests(ShopFixture shops)
{
    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    [Theory, MemberData(nameof(Brokers))]
    public async Task A_product_that_is_changed_by_the_API_or_by_SQL_is_on_the_topic_in_order(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        using var kafka = new KafkaClient(shop.Kafka);
        // what came and went before the snapshot is nowhere
        await Eventually.BecomesAsync(1L, () => shop.ScalarAsync<long>("SELECT count(*) FROM change_captures WHERE snapshot_at IS NOT NULL"));
        using var created = await shop.Instance.PutProductAsync("captured", """{"name":"Kettle","description":"Whistles.","price":{"amount":39.5,"currency":"EUR"}}""");
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        await shop.Database.ExecuteAsync("UPDATE products SET price_amount = 42 WHERE sku = 'captured'");
        await shop.Database.ExecuteAsync("BEGIN; UPDATE products SET price_amount = 43 WHERE sku = 'captured'; ROLLBACK");
        await shop.Database.ExecuteAsync("UPDATE products SET sku = 'captured-2' WHERE sku = 'captured'");
        await shop.Database.ExecuteAsync("DELETE FROM products WHERE sku = 'captured-2'");

        var (ids, told) = (new HashSet<Guid>(), new List<(string, string)>());
        foreach (var key in (string[])["captured", "captured", "captured", "captured-2", "captured-2"])
            told.Add((key, await NextBodyAsync(kafka, key, ids)));
        Assert.Equal(
            [
                ("captured", """{"sku":"captured","name":"Kettle","description":"Whistles.","price":{"amount":39.50,"currency":"EUR"}}"""),
                ("captured", """{"sku":"captured","name":"Kettle","description":"Whistles.","price":{"amount":42.00,"currency":"EUR"}}"""),
                ("captured", ""),
                ("captured-2", """{"sku":"captured-2","name":"Kettle","description":"Whistles.","price":{"amount":42.00,"currency":"EUR"}}"""),
                ("captured-2", ""),
            ],
            told);
    }

    [Theory, MemberData(nameof(Brokers))]
    public async Task A_product_that_SQL_makes_has_a_stock_and_a_text_that_is_found_and_its_ledger_follows_it(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        using var kafka = new KafkaClient(shop.Kafka);
        await shop.Database.ExecuteAsync("INSERT INTO products (sku, name, description, price_amount, price_currency) VALUES ('by-sql', 'Größe', 'Made by hand.', 3.5, 'EUR')");
        Assert.Equal(new ProductChanged("by-sql", "Größe", "Made by hand.", new(3.5m, "EUR")),
            JsonSerializer.Deserialize((await kafka.NextAsync(Topics.Catalog, "by-sql")).Body, ContractsJson.Default.ProductChanged));
        Assert.Equal("by-sql", (await shop.Instance.GetJsonAsync("/api/catalog?search=GROSSE")).GetProperty("items")[0].GetProperty("sku").GetString());

        using var received = await shop.Instance.PostReceiptAsync("by-sql", "by-sql-1", """{"quantity":7}""");
        Assert.Equal(HttpStatusCode.OK, received.StatusCode);
        await shop.Database.ExecuteAsync("UPDATE products SET sku = 'by-sql-2' WHERE sku = 'by-sql'");
        Assert.Equal((7, 0, 7, 0), (await shop.Instance.GetJsonAsync("/api/stock/by-sql-2")).Levels());
        Assert.Equal(0, await shop.ScalarAsync<long>(RunningInventory.UnequalToLedger("by-sql%")));
        await shop.Database.ExecuteAsync("DELETE FROM products WHERE sku = 'by-sql-2'");
        Assert.Equal(0, await shop.ScalarAsync<long>("SELECT coalesce(sum(on_hand), 0) FROM stock_movements WHERE sku LIKE 'by-sql%'"));

        // what orders hold cannot be taken away from them
        await shop.Instance.StockUpAsync("held-by-order", 5);
        var order = Guid.CreateVersion7();
        await kafka.PublishAsync(Events.Submitted(order, ("held-by-order", 1)));
        await kafka.NextAsync(Topics.Reservations, order);
        foreach (var sql in (string[])["DELETE FROM products WHERE sku = 'held-by-order'", "UPDATE products SET sku = 'other' WHERE sku = 'held-by-order'"])
            await Assert.ThrowsAsync<PostgresException>(() => shop.Database.ExecuteAsync(sql));
    }

    /// <summary>What a DBA may do to the table or the publication, and the forms in which changes come then.</summary>
    [Fact]
    public async Task Columns_identities_and_tables_that_come_and_go_change_nothing_of_what_is_told()
    {
        await using var shop = await shops.StartOwnAsync(Broker.Embedded);
        using var kafka = new KafkaClient(shop.Kafka);
        await Eventually.BecomesAsync(1L, () => shop.ScalarAsync<long>("SELECT count(*) FROM change_captures WHERE snapshot_at IS NOT NULL"));
        var ids = new HashSet<Guid>();
        // too large for its row, so that an update of something else does not tell it
        const string Large = "(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 200) i)";
        await shop.Database.ExecuteAsync($"INSERT INTO products (sku, name, description, price_amount, price_currency) VALUES ('altered', 'n', {Large}, 1, 'EUR')");
        var told = await NextAsync("altered");
        Assert.Equal(6400, told!.Description.Length);

        foreach (var alter in (string[])["SELECT 1", "ALTER TABLE products ADD COLUMN note text DEFAULT 'x'", "ALTER TABLE products REPLICA IDENTITY FULL", "ALTER TABLE products DROP COLUMN note", "ALTER PUBLICATION products_changes ADD TABLE stock", "ALTER TABLE products REPLICA IDENTITY DEFAULT"])
        {
            await shop.Database.ExecuteAsync(alter);
            await shop.Database.ExecuteAsync("UPDATE products SET price_amount = price_amount + 1 WHERE sku = 'altered'");
            told = told with { Price = told.Price with { Amount = told.Price.Amount + 1 } };
            Assert.Equal(told, await NextAsync("altered"));
            await shop.Database.ExecuteAsync("UPDATE products SET sku = 'altered-2' WHERE sku = 'altered'");
            Assert.Null(await NextAsync("altered"));
            Assert.Equal(told with { Sku = "altered-2" }, await NextAsync("altered-2"));
            await shop.Database.ExecuteAsync($"DELETE FROM products WHERE sku = 'altered-2'; INSERT INTO products (sku, name, description, price_amount, price_currency) VALUES ('altered', 'n', {Large}, {told.Price.Amount}, 'EUR')");
            Assert.Null(await NextAsync("altered-2"));
            Assert.Equal(told, await NextAsync("altered"));
        }
        // the stock of a product is another table, which its rows' keys do not tell
        await shop.Booking.ExecuteAsync("UPDATE stock SET on_hand = 3 WHERE sku = 'altered'; UPDATE products SET name = 'last' WHERE sku = 'altered'");
        Assert.Equal("last", (await NextAsync("altered"))!.Name);

        async Task<ProductChanged?> NextAsync(string sku) => await NextBodyAsync(kafka, sku, ids) is { Length: > 0 } body ? JsonSerializer.Deserialize(body, ContractsJson.Default.ProductChanged) : null;
    }

    [Long]
    [Fact]
    public async Task A_reader_that_stands_still_is_followed_by_the_other_instance()
    {
        await using var kafkaServer = await RunningBroker.StartAsync(Broker.Embedded);
        var connection = await shops.CreateDatabaseAsync();
        await using var database = NpgsqlDataSource.Create(connection);
        using var kafka = new KafkaClient(kafkaServer.BootstrapServers);
        await using var one = await InventoryProcess.StartAsync(connection, kafkaServer.BootstrapServers);
        await using var other = await InventoryProcess.StartAsync(connection, kafkaServer.BootstrapServers);
        // one of the two is the reader
        foreach (var (instance, sku) in ((InventoryProcess, string)[])[(one, "first"), (other, "second")])
        {
            instance.Pause();
            await database.ExecuteAsync($"INSERT INTO products (sku, name, description, price_amount, price_currency) VALUES ('{sku}', 'n', 'd', 1, 'EUR')");
            Assert.NotEmpty((await kafka.NextAsync(Topics.Catalog, sku)).Body);
            instance.Resume();
        }
    }

    [Long]
    [Theory, MemberData(nameof(Brokers))]
    public async Task A_slot_that_is_lost_is_followed_by_a_snapshot_in_which_what_is_gone_is_gone(Broker broker)
    {
        await using var shop = await shops.StartOwnAsync(broker);
        using var kafka = new KafkaClient(shop.Kafka);
        foreach (var sku in (string[])["stays", "goes", "goes-later"])
        {
            await shop.Database.ExecuteAsync($"INSERT INTO products (sku, name, description, price_amount, price_currency) VALUES ('{sku}', 'n', 'd', 1, 'EUR')");
            Assert.NotEmpty((await kafka.NextAsync(Topics.Catalog, sku)).Body);
        }

        // what happens while there is no slot is told by no log
        await using (var admin = NpgsqlDataSource.Create(shops.AdminConnectionString))
        {
            var slot = await shop.ScalarAsync<string>("SELECT current_database() || '_products'");
            await Eventually.BecomesTrueAsync(async () =>
            {
                await admin.ExecuteAsync($"SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{slot}' AND active_pid IS NOT NULL");
                try
                {
                    await admin.ExecuteAsync($"SELECT pg_drop_replication_slot('{slot}')");
                    return true;
                }
                catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ObjectInUse)
                {
                    return false;
                }
            });
        }
        await shop.Database.ExecuteAsync("DELETE FROM products WHERE sku = 'goes'; UPDATE products SET price_amount = 2 WHERE sku = 'stays'");

        await kafka.IsToldAsync("goes", body => body.Length == 0);
        await kafka.IsToldAsync("stays", body => body.Contains("2.00", StringComparison.Ordinal));
        // a slot cannot be read with a publication that is younger
        await shop.Database.ExecuteAsync("DROP PUBLICATION products_changes");
        await shop.Database.ExecuteAsync("DELETE FROM products WHERE sku = 'goes-later'");
        await kafka.IsToldAsync("goes-later", body => body.Length == 0);

        await shop.Booking.ExecuteAsync("UPDATE stock SET on_hand = 5, reserved = 2 WHERE sku = 'stays'; INSERT INTO stock_movements (sku, on_hand, reserved, dispatched, cause, reason, moved_at) VALUES ('stays', 5, 2, 0, 'correction', 'test', now())");
        var held = await Assert.ThrowsAsync<PostgresException>(() => shop.Database.ExecuteAsync("TRUNCATE products CASCADE"));
        Assert.Equal(PostgresErrorCodes.RestrictViolation, held.SqlState);
        await shop.Booking.ExecuteAsync("UPDATE stock SET reserved = 0 WHERE sku = 'stays'; INSERT INTO stock_movements (sku, on_hand, reserved, dispatched, cause, reason, moved_at) VALUES ('stays', 0, -2, 0, 'correction', 'test', now())");
        await shop.Database.ExecuteAsync("TRUNCATE products CASCADE");
        Assert.Equal(0, await shop.ScalarAsync<long>("SELECT sum(on_hand)::bigint FROM stock_movements WHERE sku = 'stays'"));
        await kafka.IsToldAsync("stays", body => body.Length == 0);

        await shop.Database.ExecuteAsync("INSERT INTO products (sku, name, description, price_amount, price_currency) VALUES ('unpublished', 'n', 'd', 1, 'EUR')");
        await kafka.IsToldAsync("unpublished", body => body.Length > 0);
        await shop.Database.ExecuteAsync("ALTER PUBLICATION products_changes DROP TABLE products");
        await shop.Database.ExecuteAsync("DELETE FROM products WHERE sku = 'unpublished'");
        await kafka.IsToldAsync("unpublished", body => body.Length == 0);
    }

    [Long]
    [Theory, MemberData(nameof(Brokers))]
    public async Task A_slot_that_holds_back_too_much_log_is_an_alarm_until_it_no_longer_does(Broker broker)
    {
        const int AlarmMegabytes = 64;
        await using var shop = await shops.StartOwnAsync(broker, AlarmMegabytes);
        using var kafka = new KafkaClient(shop.Kafka);
        var slot = await shop.ScalarAsync<string>("SELECT current_database() || '_products'");
        await Eventually.BecomesAsync(1L, () => shop.ScalarAsync<long>("SELECT count(*) FROM change_captures WHERE snapshot_at IS NOT NULL"));
        await using (var open = await shop.Database.OpenConnectionAsync(TestContext.Current.CancellationToken))
        {
            // from its beginning on the log has to be kept, as where a reader is away
            await using var transaction = await open.BeginTransactionAsync(TestContext.Current.CancellationToken);
            await using (var insert = new NpgsqlCommand("INSERT INTO products (sku, name, description, price_amount, price_currency) VALUES ('late', 'n', 'd', 1, 'EUR')", open, transaction))
                await insert.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            await shop.Database.ExecuteAsync($"SELECT pg_logical_emit_message(false, 'filler', repeat('x', 1 << 20)) FROM generate_series(1, {2 * AlarmMegabytes})");
            var raised = await AlarmAsync<AlarmRaised>();
            Assert.Equal((AlarmKinds.ReplicationLag, "inventory", slot), (raised.Kind, raised.Service, raised.Subject));
            await transaction.CommitAsync(TestContext.Current.CancellationToken);
        }
        Assert.Equal((AlarmKinds.ReplicationLag, slot), (await AlarmAsync<AlarmCleared>()) is var cleared ? (cleared.Kind, cleared.Subject) : default);
        Assert.NotEmpty((await kafka.NextAsync(Topics.Catalog, "late")).Body);

        async Task<T> AlarmAsync<T>() => JsonSerializer.Deserialize<T>((await kafka.NextAsync(Topics.Alarms, slot)).Body, JsonSerializerOptions.Web)!;
    }

    [Fact]
    public async Task A_role_that_may_not_read_the_log_is_told_in_words_by_readiness()
    {
        var connection = await shops.CreateDatabaseAsync();
        await using (var admin = NpgsqlDataSource.Create(shops.AdminConnectionString))
            await admin.ExecuteAsync($"ALTER ROLE {new NpgsqlConnectionStringBuilder(connection).Username} NOREPLICATION");
        await using var shop = await RunningInventory.StartAsync(connection, "127.0.0.1:1", instances: 1);
        await shop.SaysAsync(HttpStatusCode.ServiceUnavailable, "ALTER ROLE ... REPLICATION");
    }

    [Long]
    [Fact]
    public async Task A_server_without_a_logical_log_is_told_in_words_by_readiness()
    {
        var directory = Directory.CreateTempSubdirectory("shop-capture-");
        try
        {
            await using (var cluster = await PostgresCluster.StartAsync(directory.FullName, TestContext.Current.CancellationToken))
            await using (var admin = NpgsqlDataSource.Create(cluster.AdminConnectionString))
                await admin.ExecuteAsync("ALTER SYSTEM SET wal_level = replica");
            await using var restarted = await PostgresCluster.StartAsync(directory.FullName, TestContext.Current.CancellationToken);
            await using var shop = await RunningInventory.StartAsync(await restarted.CreateDatabaseAsync("inventory", TestContext.Current.CancellationToken), "127.0.0.1:1", instances: 1);
            await shop.SaysAsync(HttpStatusCode.ServiceUnavailable, "wal_level is replica");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>What is told of the product next; whoever reads the log tells under the same id again what it had not confirmed.</summary>
    private static async Task<string> NextBodyAsync(KafkaClient kafka, string sku, HashSet<Guid> ids)
    {
        while (true)
        {
            if (await kafka.NextAsync(Topics.Catalog, sku) is var read && ids.Add(read.Id))
                return read.Body;
        }
    }
}
