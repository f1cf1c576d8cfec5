using System.Diagnostics;
using Confluent.Kafka;
using Npgsql;
using Shop.Benchmarks.Broker;
using Shop.Contracts;

namespace Shop.Benchmarks.Inventory;

/// <summary>
/// A product's price, changed by plain SQL: until Orders has committed its copy, and how fast a million rows flow, against the bare replication
/// stream that is read and dropped, which is the least that any reader of the log needs.
/// </summary>
internal static class CaptureBench
{
    private const int WarmUp = 250, Changes = 1_000, Rows = 1_000_000;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20), Deadline = TimeSpan.FromMinutes(5);

    /// <summary>Latency at 50 changes a second, and a million rows of one UPDATE.</summary>
    public static async Task RunAsync(Report report, CancellationToken cancellationToken)
    {
        var data = Directory.CreateTempSubdirectory("shop-bench-");
        try
        {
            await using var postgres = await CommitTimes.StartPostgresAsync(Path.Combine(data.FullName, "postgres"), cancellationToken);
            await using var kafka = await EmbeddedKafkaProcess.StartAsync(data.CreateSubdirectory("kafka").FullName, cancellationToken);
            string inventory = await postgres.CreateDatabaseAsync("inventory", cancellationToken), orders = await postgres.CreateDatabaseAsync("orders", cancellationToken);
            await LatencyAsync(report, inventory, orders, kafka.BootstrapServers, cancellationToken);
            await FlowAsync(report, inventory, kafka.BootstrapServers, cancellationToken);
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    private static async Task LatencyAsync(Report report, string inventory, string orders, string kafka, CancellationToken cancellationToken)
    {
        await using var capturing = await ServiceProcess.StartAsync("Inventory.dll", inventory, kafka, cancellationToken);
        await using var copying = await ServiceProcess.StartAsync("Orders.dll", orders, kafka, cancellationToken);
        await ExecuteAsync(inventory, $"""
            INSERT INTO products (sku, name, description, price_amount, price_currency) SELECT 'bench-' || i, 'Bench', '', 9.50, 'EUR' FROM generate_series(1, {WarmUp + Changes}) i
            """, cancellationToken);
        await using var copies = NpgsqlDataSource.Create(orders);
        await CopiedAsync(copies, "sku LIKE 'bench-%'", WarmUp + Changes, cancellationToken);

        Report.Progress($"{Changes:N0} prices changed at 50 a second");
        await using var bare = await BareStream.StartAsync(inventory, cancellationToken);
        await using var changing = NpgsqlDataSource.Create(inventory);
        var started = Stopwatch.GetTimestamp();
        for (var change = 1; change <= WarmUp + Changes; change++)
        {
            var due = (Interval * change) - Stopwatch.GetElapsedTime(started);
            if (due > TimeSpan.Zero)
                await Task.Delay(due, cancellationToken);
            await using var update = changing.CreateCommand($"UPDATE products SET price_amount = 12.25 WHERE sku = 'bench-{change}'");
            await update.ExecuteNonQueryAsync(cancellationToken);
        }
        await CopiedAsync(copies, "price = 12.25", WarmUp + Changes, cancellationToken);
        var read = await bare.UntilAsync(WarmUp + Changes, cancellationToken);

        var changed = await CommittedAsync(inventory, cancellationToken);
        var copied = await CommittedAsync(orders, cancellationToken);
        var milliseconds = changed.Where(row => row.Key > WarmUp).Select(row => (copied[row.Key] - row.Value).TotalMilliseconds).Order().ToList();
        var least = read.Skip(WarmUp).Select(change => Math.Max(0, (change.ReadAt - change.CommittedAt).TotalMilliseconds)).Order().ToList();
        report.Add(new("inventory.capture.p50", At(milliseconds, 0.5), "ms", new("bare stream", At(least, 0.5), "ms"), 5, LowerIsBetter: true) { IsGoalOfValue = true });
        report.Add(new("inventory.capture.p99", At(milliseconds, 0.99), "ms", new("bare stream", At(least, 0.99), "ms"), 15, LowerIsBetter: true) { IsGoalOfValue = true });
    }

    private static async Task FlowAsync(Report report, string inventory, string kafka, CancellationToken cancellationToken)
    {
        double flowed, memory;
        await using (var capturing = await ServiceProcess.StartAsync("Inventory.dll", inventory, kafka, cancellationToken))
        {
            using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig { BootstrapServers = kafka, GroupId = "bench" }).Build();
            Report.Progress($"inserting {Rows:N0} products");
            var end = EndOf(consumer);
            await ExecuteAsync(inventory, $"INSERT INTO products (sku, name, description, price_amount, price_currency) SELECT 'many-' || i, 'One of many', 'Bench', 9.50, 'EUR' FROM generate_series(1, {Rows}) i", cancellationToken);
            await UntilAsync(() => EndOf(consumer), end + Rows, cancellationToken);
            Report.Progress($"changing {Rows:N0} rows by one UPDATE");
            await ExecuteAsync(inventory, "UPDATE products SET price_amount = 8.75 WHERE sku LIKE 'many-%'", cancellationToken);
            var watch = Stopwatch.StartNew();
            await UntilAsync(() => EndOf(consumer), end + (2 * Rows), cancellationToken);
            flowed = Rows / watch.Elapsed.TotalSeconds;
            memory = capturing.PeakMebibytes;
        }
        Report.Progress("the same UPDATE, read from the bare stream and dropped");
        await using var bare = await BareStream.StartAsync(inventory, cancellationToken);
        await ExecuteAsync(inventory, "UPDATE products SET price_amount = 7.75 WHERE sku LIKE 'many-%'", cancellationToken);
        var bareWatch = Stopwatch.StartNew();
        await bare.UntilAsync(Rows, cancellationToken);
        report.Add(new("inventory.capture.rows", flowed, "rows/s", new("bare stream", Rows / bareWatch.Elapsed.TotalSeconds, "rows/s"), 60_000, LowerIsBetter: false) { IsGoalOfValue = true });
        report.Add(new("inventory.capture.memory", memory, "MiB", null, 400, LowerIsBetter: true));
    }

    /// <summary>When the server committed each changed row, by the number in its sku.</summary>
    private static async Task<Dictionary<int, DateTime>> CommittedAsync(string database, CancellationToken cancellationToken)
    {
        await using var dataSource = NpgsqlDataSource.Create(database);
        await using var command = dataSource.CreateCommand("SELECT split_part(sku, '-', 2)::int, pg_xact_commit_timestamp(xmin) FROM products WHERE sku LIKE 'bench-%'");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var committed = new Dictionary<int, DateTime>();
        while (await reader.ReadAsync(cancellationToken))
            committed[reader.GetInt32(0)] = reader.GetDateTime(1);
        return committed;
    }

    private static async Task CopiedAsync(NpgsqlDataSource copies, string condition, int expected, CancellationToken cancellationToken) => await UntilAsync(() =>
    {
        using var command = copies.CreateCommand($"SELECT count(*) FROM products WHERE {condition}");
        return (long)command.ExecuteScalar()!;
    }, expected, cancellationToken);

    private static async Task UntilAsync(Func<long> read, long expected, CancellationToken cancellationToken)
    {
        var (watch, actual) = (Stopwatch.StartNew(), read());
        for (; actual < expected; actual = read())
        {
            if (watch.Elapsed > Deadline)
                throw new InvalidOperationException($"Only {actual} of {expected} changes have come");
            await Task.Delay(20, cancellationToken);
        }
    }

    private static long EndOf(IConsumer<byte[], byte[]> consumer) => Enumerable.Range(0, Topics.Catalog.Partitions)
        .Sum(partition => consumer.QueryWatermarkOffsets(new(Topics.Catalog.Name, partition), TimeSpan.FromSeconds(10)).High.Value);

    private static double At(List<double> sorted, double fraction) => Math.Round(sorted[(int)(fraction * (sorted.Count - 1))], 2);

    private static async Task ExecuteAsync(string database, string sql, CancellationToken cancellationToken)
    {
        await using var dataSource = NpgsqlDataSource.Create(database);
        await using var command = dataSource.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
