using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shop.Benchmarks.Broker;
using Shop.Messaging.Kafka;
using Shop.Messaging.Outbox;
using Shop.Messaging.Relay;
using Shop.Testing;

namespace Shop.Benchmarks.Messaging;

/// <summary>
/// The messaging core on EmbeddedKafka and a PostgreSQL with fsync on, all on this machine: consuming with saga, inbox and outbox
/// against pgbench writing the same rows, the relay, and latencies.
/// </summary>
internal static class MessagingBench
{
    private const int Records = 200_000;
    private const int SingleRecords = 10_000;
    private const int WarmUpRecords = 200_000;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan PgBenchDuration = TimeSpan.FromSeconds(10);

    private static int _databases;

    /// <summary>Consuming with saga, inbox and outbox.</summary>
    public static Task ConsumeAsync(Report report, CancellationToken cancellationToken) => WithPostgresAsync(async (postgres, data) =>
    {
        Report.Progress("warming up");
        await ConsumeAsync(postgres, data, WarmUpRecords, null, relaying: true, cancellationToken);
        Report.Progress($"consuming {Records:N0} records: saga, inbox and outbox, the relay held back");
        var consumed = await ConsumeAsync(postgres, data, Records, null, relaying: false, cancellationToken);
        Report.Progress("pgbench writing the same rows");
        var database = await NewDatabaseAsync(postgres, cancellationToken);
        await using (await AccountService.StartAsync(database, "127.0.0.1:1", null, withSaga: false, null, cancellationToken))
        {
            // only for its tables
        }
        var baseline = new Baseline("pgbench, same rows", await PgBench.RunAsync(database, PgBenchDuration, cancellationToken), "records/s");
        report.Add(new("messaging.consume", consumed.PerSecond, "records/s", baseline, 0.35, LowerIsBetter: false));
        report.Add(new("messaging.consume.core", consumed.PerCpuSecond, "records/s", null, 20_000, LowerIsBetter: false));
        report.Add(new("messaging.memory", consumed.PeakMebibytes, "MiB", null, 400, LowerIsBetter: true));
        Report.Progress("consuming the same while the relay publishes");
        var relayed = await ConsumeAsync(postgres, data, Records, null, relaying: true, cancellationToken);
        report.Add(new("messaging.consume.relayed", relayed.PerSecond, "records/s", baseline, 0.2, LowerIsBetter: false));
        Report.Progress($"consuming {SingleRecords:N0} records the usual way: one scope and transaction for each");
        var single = await ConsumeAsync(postgres, data, SingleRecords, 1, relaying: false, cancellationToken);
        report.Add(new("messaging.consume.usualWay", consumed.PerSecond, "records/s", new("a transaction each", single.PerSecond, "records/s"), 5, LowerIsBetter: false));
    }, cancellationToken);

    /// <summary>From commit to another consumer, and from publish to handled.</summary>
    public static Task LatencyAsync(Report report, CancellationToken cancellationToken) => WithPostgresAsync(async (postgres, data) =>
    {
        foreach (var (rate, batch) in ((int, int?)[])[(50, null), (500, null), (50, 1), (500, 1)])
        {
            Report.Progress($"latency at {rate} events a second, batch {(batch is null ? "default" : "1")}");
            await using var kafka = await EmbeddedKafkaProcess.StartAsync(data.CreateSubdirectory($"latency-{rate}-{batch}").FullName, cancellationToken);
            var latency = await LatencyBench.RunAsync(await NewDatabaseAsync(postgres, cancellationToken), kafka.BootstrapServers, rate, batch, cancellationToken);
            var name = $"{rate}{(batch is null ? "" : ".batch1")}";
            report.Add(new($"messaging.relay.p50.{name}", latency.ConsumerP50, "ms", null, 2, LowerIsBetter: true));
            report.Add(new($"messaging.relay.p99.{name}", latency.ConsumerP99, "ms", null, 8, LowerIsBetter: true));
            report.Add(new($"messaging.handled.p50.{name}", latency.HandledP50, "ms", null, 4, LowerIsBetter: true));
            report.Add(new($"messaging.handled.p99.{name}", latency.HandledP99, "ms", null, 15, LowerIsBetter: true));
        }
    }, cancellationToken);

    /// <summary>Measures with a PostgreSQL and a directory of its own, which are removed afterwards.</summary>
    internal static async Task WithPostgresAsync(Func<PostgresCluster, DirectoryInfo, Task> measure, CancellationToken cancellationToken)
    {
        await using var postgres = await PostgresCluster.StartAsync(cancellationToken: cancellationToken);
        var data = Directory.CreateTempSubdirectory("shop-bench-");
        try
        {
            await measure(postgres, data);
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    /// <summary>The connection string of an empty database.</summary>
    internal static Task<string> NewDatabaseAsync(PostgresCluster postgres, CancellationToken cancellationToken) =>
        postgres.CreateDatabaseAsync($"bench{Interlocked.Increment(ref _databases)}", cancellationToken);

    /// <summary>Records wait in Kafka; the clock runs from the first commit to the last.</summary>
    private static async Task<Consumed> ConsumeAsync(PostgresCluster postgres, DirectoryInfo data, int records, int? batch, bool relaying, CancellationToken cancellationToken)
    {
        await using var kafka = await EmbeddedKafkaProcess.StartAsync(data.CreateSubdirectory($"consume-{Guid.CreateVersion7()}").FullName, cancellationToken);
        var database = await NewDatabaseAsync(postgres, cancellationToken);
        await using (var tables = await AccountService.StartAsync(database, kafka.BootstrapServers, null, withSaga: false, null, cancellationToken))
        {
            // before the first record, which would make a topic of one partition
            await tables.Services.GetRequiredService<TopicCreation>().EnsureAsync([AccountService.Accounts, AccountService.Notes], cancellationToken);
        }
        await AccountRecords.ProduceAsync(kafka.BootstrapServers, records, cancellationToken);

        await using var dataSource = NpgsqlDataSource.Create(database);
        await using var relayHeld = await dataSource.OpenConnectionAsync(cancellationToken);
        if (!relaying)
        {
            // this session takes the relay's locks, so that the relay owns nothing
            await using var hold = new NpgsqlCommand($"SELECT pg_advisory_lock({ShardLeases.ShardLocks}, shard) FROM generate_series(0, {OutboxShards.Count - 1}) AS shard", relayHeld);
            await hold.ExecuteNonQueryAsync(cancellationToken);
        }
        GC.Collect();
        await using var service = await AccountService.StartAsync(database, kafka.BootstrapServers, batch, withSaga: true, null, cancellationToken);
        var process = Process.GetCurrentProcess();
        var before = 0L;
        while (before == 0)
        {
            before = await ConsumedAsync(dataSource, cancellationToken);
            await Task.Delay(5, cancellationToken);
        }
        var watch = Stopwatch.StartNew();
        var cpu = process.TotalProcessorTime;
        var peak = 0L;
        var shown = watch.Elapsed;
        while (true)
        {
            var done = await ConsumedAsync(dataSource, cancellationToken);
            if (done >= records)
                break;
            if (watch.Elapsed > Deadline)
                throw new InvalidOperationException($"Only {done} of {records} records were consumed");
            if (watch.Elapsed - shown > TimeSpan.FromSeconds(2))
            {
                shown = watch.Elapsed;
                process.Refresh();
                peak = Math.Max(peak, process.WorkingSet64);
                Report.Progress(string.Create(CultureInfo.InvariantCulture, $"  {done:N0} consumed"));
            }
            await Task.Delay(50, cancellationToken);
        }
        var measured = records - before;
        process.Refresh();
        peak = Math.Max(peak, process.WorkingSet64);
        var result = new Consumed(measured / watch.Elapsed.TotalSeconds, measured / (process.TotalProcessorTime - cpu).TotalSeconds, peak / 1024.0 / 1024.0);
        Report.Progress(string.Create(CultureInfo.InvariantCulture, $"  {result.PerSecond:N0}/s, {result.PerCpuSecond:N0} for each second of the service's CPU time"));
        return result;
    }

    private static async Task<long> ConsumedAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("SELECT coalesce(sum(next_offset), 0)::bigint FROM consumer_offsets");
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private sealed record Consumed(double PerSecond, double PerCpuSecond, double PeakMebibytes);
}
