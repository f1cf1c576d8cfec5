using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Npgsql;
using Shop.Benchmarks.Broker;
using Shop.Benchmarks.Messaging;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Benchmarks.Inventory;

/// <summary>
/// Reservations of one product that everybody wants against as many of a thousand, by Inventory as it runs in the shop, with ledger, events and
/// inbox; and against pgbench, which writes the same rows set-based.
/// </summary>
internal static class ReservationBench
{
    private const int Orders = 60_000, Skus = 1_000, Batch = 300;
    private const string Hot = "bench-0";
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3), PgBenchDuration = TimeSpan.FromSeconds(10);
    private static readonly Money Price = new(9.50m, "EUR");
    private static readonly Address ShipTo = new("Ada", "Main Street 1", "Berlin", "10115", "DE");

    /// <summary>A batch of orders of the hot product: reservations, its row once, the ledger, the events, the inbox and the position.</summary>
    private const string Script = """
        SELECT nextval('batches') AS batch \gset
        BEGIN;
        SELECT * FROM stock WHERE sku = 'bench-0' FOR UPDATE;
        INSERT INTO inbox (event_id, endpoint) SELECT bench_id(:batch * 300 + i), 'bench' FROM generate_series(1, 300) i ON CONFLICT DO NOTHING;
        INSERT INTO reservations (order_id, status, lines, shortages, decided_at)
          SELECT bench_id(:batch * 300 + i), 'reserved', '[{"sku":"bench-0","quantity":1}]', '[]', now() FROM generate_series(1, 300) i;
        UPDATE stock SET reserved = reserved + 300 WHERE sku = 'bench-0';
        INSERT INTO stock_movements (sku, on_hand, reserved, dispatched, cause, reference, moved_at)
          SELECT 'bench-0', 0, 1, 0, 'order', bench_id(:batch * 300 + i)::text, now() FROM generate_series(1, 300) i;
        INSERT INTO outbox (shard, topic, key, event_id, event_type, occurred_at, causation_id, trace_parent, body)
          SELECT i % 16, 'reservations', bench_id(:batch * 300 + i)::text, bench_id(:batch * 300 + i), 'shop.reservations.stock-reserved.v1', now(), bench_id(i), NULL, convert_to(repeat('x', 110), 'UTF8')
          FROM generate_series(1, 301) i;
        UPDATE consumer_offsets SET next_offset = next_offset + 300 WHERE endpoint = 'inventory.reservations' AND topic = 'orders' AND partition = 0;
        COMMIT;
        """;

    /// <summary>Reservations a second.</summary>
    public static Task RunAsync(Report report, CancellationToken cancellationToken) => MessagingBench.WithPostgresAsync(async (postgres, data) =>
    {
        Report.Progress("warming up");
        await ReserveAsync(postgres, data, order => order % Skus, cancellationToken);
        Report.Progress($"{Orders:N0} orders of {Skus:N0} products");
        var (spread, _) = await ReserveAsync(postgres, data, order => order % Skus, cancellationToken);
        Report.Progress($"{Orders:N0} orders of one product");
        var (hot, database) = await ReserveAsync(postgres, data, _ => 0, cancellationToken);
        report.Add(new("inventory.reservations.hot", hot, "orders/s", new("spread over a thousand", spread, "orders/s"), 0.5, LowerIsBetter: false));
        Report.Progress("pgbench writing the same rows");
        await using (var dataSource = NpgsqlDataSource.Create(database))
        {
            await using var prepare = dataSource.CreateCommand("""
                TRUNCATE inbox, reservations, outbox;
                CREATE SEQUENCE batches;
                CREATE FUNCTION bench_id(bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('019a0000' || lpad(to_hex($1), 24, '0'))::uuid $$
                """);
            await prepare.ExecuteNonQueryAsync(cancellationToken);
        }
        var rows = await PgBench.TransactionsAsync(BookingSessions.Of(database), Script, "-T", $"{PgBenchDuration.TotalSeconds:0}", cancellationToken) * Batch;
        report.Add(new("inventory.reservations", hot, "orders/s", new("pgbench, same rows", rows, "orders/s"), 0.3, LowerIsBetter: false));
    }, cancellationToken);

    /// <summary>The orders wait in Kafka; the clock runs from the first commit to the last.</summary>
    private static async Task<(double PerSecond, string Database)> ReserveAsync(
        PostgresCluster postgres, DirectoryInfo data, Func<int, int> skuOf, CancellationToken cancellationToken)
    {
        await using var kafka = await EmbeddedKafkaProcess.StartAsync(data.CreateSubdirectory($"reserve-{Guid.CreateVersion7()}").FullName, cancellationToken);
        var database = await MessagingBench.NewDatabaseAsync(postgres, cancellationToken);
        await using var dataSource = NpgsqlDataSource.Create(BookingSessions.Of(database));
        await using (await ServiceProcess.StartAsync("Inventory.dll", database, kafka.BootstrapServers, cancellationToken))
        {
            // for its tables, its topics and its products, whose stock is there once they are committed
            await using var products = dataSource.CreateCommand($"INSERT INTO products (sku, name, description, price_amount, price_currency) SELECT 'bench-' || i, 'Bench', '', 9.50, 'EUR' FROM generate_series(0, {Skus - 1}) i");
            await products.ExecuteNonQueryAsync(cancellationToken);
            await using var stock = dataSource.CreateCommand("UPDATE stock SET on_hand = 1000000 WHERE sku LIKE 'bench-%'");
            await stock.ExecuteNonQueryAsync(cancellationToken);
        }
        await BulkProducer.ProduceAsync(kafka.BootstrapServers, Topics.Orders.Name, Enumerable.Range(0, Orders).Select(i => Submitted($"bench-{skuOf(i)}")), cancellationToken);

        await using var service = await ServiceProcess.StartAsync("Inventory.dll", database, kafka.BootstrapServers, cancellationToken);
        var before = 0L;
        while ((before = await ReservedAsync(dataSource, cancellationToken)) == 0)
            await Task.Delay(5, cancellationToken);
        var watch = Stopwatch.StartNew();
        for (var done = before; done < Orders; done = await ReservedAsync(dataSource, cancellationToken))
        {
            if (watch.Elapsed > Deadline)
                throw new InvalidOperationException($"Only {done} of {Orders} orders were decided");
            await Task.Delay(20, cancellationToken);
        }
        var perSecond = (Orders - before) / watch.Elapsed.TotalSeconds;
        await using var check = dataSource.CreateCommand("SELECT sum(reserved), (SELECT sum(reserved) FROM stock_movements), (SELECT count(*) FROM reservations WHERE status = 'reserved') FROM stock WHERE sku LIKE 'bench-%'");
        await using var reader = await check.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var (held, ledger, reservations) = (reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2));
        if ((held, ledger, reservations) != (Orders, Orders, Orders))
            throw new InvalidOperationException($"{Orders} orders, but {held} pieces are held, {ledger} by the ledger, for {reservations} reservations");
        Report.Progress(string.Create(CultureInfo.InvariantCulture, $"  {perSecond:N0} orders/s, stock, ledger and reservations agree; {before:N0} before the clock"));
        return (perSecond, database);
    }

    private static (string, string, byte[]) Submitted(string sku)
    {
        var id = Guid.CreateVersion7();
        var submitted = new OrderSubmitted(id, $"shopper-{id}", [new(sku, 1, Price)], Price, ShipTo, DateTimeOffset.UtcNow);
        return (id.ToString(), "shop.orders.order-submitted.v1", JsonSerializer.SerializeToUtf8Bytes(submitted, ContractsJson.Default.OrderSubmitted));
    }

    private static async Task<long> ReservedAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("SELECT coalesce(sum(next_offset), 0)::bigint FROM consumer_offsets WHERE topic = 'orders'");
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
