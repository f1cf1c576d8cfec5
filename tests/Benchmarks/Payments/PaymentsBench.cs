using System.Diagnostics;
using System.Globalization;
using Confluent.Kafka.Admin;
using Npgsql;
using Shop.AppHost.Running;
using Shop.Benchmarks.Broker;
using Shop.Benchmarks.Messaging;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Benchmarks.Payments;

/// <summary>
/// Payments as a process, with EmbeddedKafka, a PostgreSQL with fsync on and the payment provider on the same machine: how many payments it screens for
/// each second of its CPU time, how long a decision takes with many shoppers' windows in state, what becomes of both while the provider is away, and how long one
/// payment waits behind many that the provider hangs for.
/// </summary>
internal static class PaymentsBench
{
    private const int Shoppers = 100_000, Rate = 200, CircuitOpeners = 100, Hanging = 2_500;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(5), Steady = TimeSpan.FromSeconds(20), Away = TimeSpan.FromSeconds(30), Back = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4), CatchUpDeadline = TimeSpan.FromMinutes(1);

    /// <summary>Runs it.</summary>
    /// <exception cref="InvalidOperationException">A part did not start, or payments were not decided in time.</exception>
    public static async Task RunAsync(Report report, CancellationToken cancellationToken)
    {
        var data = Directory.CreateTempSubdirectory("shop-bench-");
        try
        {
            await using var postgres = await CommitTimes.StartPostgresAsync(Path.Combine(data.FullName, "postgres"), cancellationToken);
            await using var kafka = await EmbeddedKafkaProcess.StartAsync(data.CreateSubdirectory("kafka").FullName, cancellationToken);
            var provider = $"http://127.0.0.1:{Ports.Free()}";
            await KafkaTopics.CreateAsync(kafka.BootstrapServers, [.. Topics.All.Select(topic => new TopicSpecification { Name = topic.Name, NumPartitions = topic.Partitions, ReplicationFactor = 1 })]);
            var database = await MessagingBench.NewDatabaseAsync(postgres, cancellationToken);
            await using var source = NpgsqlDataSource.Create(database);
            (string, string)[] settings =
            [
                ("ConnectionStrings__payments", database), ("ConnectionStrings__kafka", kafka.BootstrapServers), ("services__payment-provider__http__0", provider),
                ("Authentication__SigningKey", TestTokens.SigningKey), ("PaymentTokens__PrivateKey", TestPaymentKeys.Private),
            ];
            using var load = new PaymentLoad(kafka.BootstrapServers, Shoppers);
            await ScreenAsync(report, source, settings, load, cancellationToken);
            await DecideAsync(report, source, settings, load, provider, data, cancellationToken);
            await HangAsync(report, source, settings, load, provider, data, cancellationToken);
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    /// <summary>Payments wait in Kafka, two of each shopper; the second of each is measured. The provider is away: it is not what is measured.</summary>
    private static async Task ScreenAsync(Report report, NpgsqlDataSource source, (string, string)[] settings, PaymentLoad load, CancellationToken cancellationToken)
    {
        Report.Progress($"screening {2 * Shoppers:N0} payments of {Shoppers:N0} shoppers");
        await using var payments = await StartPaymentsAsync(settings, cancellationToken);
        // until the service has found out that the provider is away, and calls it no more
        await load.PublishAsync(CircuitOpeners);
        while (await CountAsync(source, "SELECT count(*) FROM payments WHERE attempts > 0", cancellationToken) < CircuitOpeners)
            await Task.Delay(20, cancellationToken);
        await load.PublishAsync(2 * Shoppers);
        await ScreenedAsync(Shoppers);
        var (before, watch, cpu) = (await CountAsync(source, Screened, cancellationToken), Stopwatch.StartNew(), payments.CpuTime);
        await ScreenedAsync(2 * Shoppers);
        var measured = await CountAsync(source, Screened, cancellationToken) - before;
        var used = payments.CpuTime - cpu;
        report.Add(new("payments.screening.core", measured / used.TotalSeconds, "payments/s", null, 25_000, LowerIsBetter: false));
        report.Add(new("payments.screening", measured / watch.Elapsed.TotalSeconds, "payments/s", null, 5_000, LowerIsBetter: false));
        report.Add(new("payments.memory", payments.PeakMebibytes, "MiB", null, 400, LowerIsBetter: true));

        async Task ScreenedAsync(int wanted)
        {
            for (var waited = Stopwatch.StartNew(); await CountAsync(source, Screened, cancellationToken) < wanted; await Task.Delay(20, cancellationToken))
            {
                if (waited.Elapsed > Deadline)
                    throw new InvalidOperationException($"{wanted} payments were not screened in {Deadline}");
            }
        }
    }

    /// <summary>At a steady rate: with the provider, while it is away, and when it is back.</summary>
    private static async Task DecideAsync(Report report, NpgsqlDataSource source, (string, string)[] settings, PaymentLoad load, string provider, DirectoryInfo data, CancellationToken cancellationToken)
    {
        // what was screened has been paid meanwhile
        await ExecuteAsync(source, "UPDATE payments SET state = 'captured', due_at = NULL, token = NULL", cancellationToken);
        await ExecuteAsync(source, "VACUUM ANALYZE", cancellationToken);
        var atProvider = await StartProviderAsync();
        try
        {
            await using var payments = await StartPaymentsAsync(settings, cancellationToken);
            Report.Progress($"{Rate} payments a second for {Steady.TotalSeconds} s");
            await load.PublishAsync(Rate, WarmUp, cancellationToken);
            var steady = DateTimeOffset.UtcNow;
            await load.PublishAsync(Rate, Steady, cancellationToken);
            await DecidedAsync();

            Report.Progress($"the same for {Away.TotalSeconds} s without the provider");
            await atProvider.DisposeAsync();
            var away = DateTimeOffset.UtcNow;
            await load.PublishAsync(Rate, Away, cancellationToken);
            var waiting = await CountAsync(source, Waiting, cancellationToken);
            var back = DateTimeOffset.UtcNow;
            var publishing = load.PublishAsync(Rate, Back, cancellationToken);
            atProvider = await StartProviderAsync();
            while (await CountAsync(source, $"SELECT count(*) FROM payments WHERE due_at IS NOT NULL AND requested_at < '{back:O}'", cancellationToken) > 0)
                await Task.Delay(20, cancellationToken);
            var caughtUp = DateTimeOffset.UtcNow;
            await publishing;
            await DecidedAsync();
            var recovered = DateTimeOffset.UtcNow;
            await load.PublishAsync(Rate, Back, cancellationToken);
            await DecidedAsync();

            // in the server's clock, which is this machine's: when the transaction that has the decision was durable
            var decided = await LatenciesAsync("SELECT event_id, pg_xact_commit_timestamp(xmin) FROM inbox");
            var authorized = await LatenciesAsync("SELECT cause_id, changed_at FROM payments WHERE state = 'authorized'");
            report.Add(new("payments.decision.p50", Percentile(decided, steady, away, 0.5), "ms", null, 5, LowerIsBetter: true));
            report.Add(new("payments.decision.p99", Percentile(decided, steady, away, 0.99), "ms", null, 20, LowerIsBetter: true));
            report.Add(new("payments.authorized.p50", Percentile(authorized, steady, away, 0.5), "ms", null, 15, LowerIsBetter: true));
            report.Add(new("payments.authorized.p99", Percentile(authorized, steady, away, 0.99), "ms", null, 60, LowerIsBetter: true));
            Report.Progress($"{waiting:N0} payments waited for the provider");
            report.Add(new("payments.away.decision.p99", Percentile(decided, away, back, 0.99), "ms", null, 20, LowerIsBetter: true));
            report.Add(new("payments.away.declined", await CountAsync(source, "SELECT count(*) FROM payments WHERE state = 'declined'", cancellationToken), "payments", null, 0, LowerIsBetter: true));
            report.Add(new("payments.back.caught-up", (caughtUp - back).TotalSeconds, "s", null, 10, LowerIsBetter: true));
            report.Add(new("payments.back.authorized.p99", Percentile(authorized, recovered, DateTimeOffset.MaxValue, 0.99), "ms", null, 60, LowerIsBetter: true));
        }
        finally
        {
            await atProvider.DisposeAsync();
        }

        Task<ServiceProcess> StartProviderAsync() => PaymentsBench.StartProviderAsync(provider, data, cancellationToken);

        async Task DecidedAsync()
        {
            for (var waited = Stopwatch.StartNew(); await CountAsync(source, Screened, cancellationToken) < load.Published.Count || await CountAsync(source, Waiting, cancellationToken) > 0; await Task.Delay(50, cancellationToken))
            {
                if (waited.Elapsed > CatchUpDeadline)
                    throw new InvalidOperationException($"Payments were not decided in {CatchUpDeadline}");
            }
        }

        async Task<List<(DateTimeOffset At, double Milliseconds)>> LatenciesAsync(string sql)
        {
            await using var command = source.CreateCommand(sql);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var latencies = new List<(DateTimeOffset, double)>();
            while (await reader.ReadAsync(cancellationToken))
            {
                if (load.Published.TryGetValue(reader.GetGuid(0), out var published))
                    latencies.Add((published, (reader.GetFieldValue<DateTimeOffset>(1) - published).TotalMilliseconds));
            }
            return latencies;
        }
    }

    /// <summary>The provider never answers the first payments; one that it answers comes behind them, when all of them have been asked for or wait.</summary>
    private static async Task HangAsync(Report report, NpgsqlDataSource source, (string, string)[] settings, PaymentLoad load, string provider, DirectoryInfo data, CancellationToken cancellationToken)
    {
        Report.Progress($"one payment behind {Hanging:N0} that the provider hangs for");
        await using var atProvider = await StartProviderAsync(provider, data, cancellationToken);
        await using var payments = await StartPaymentsAsync(settings, cancellationToken);
        await load.PublishAsync(Hanging, "tok_silent");
        await CountedAsync(Waiting, Hanging);
        var asked = Stopwatch.StartNew();
        await load.PublishAsync(1);
        await CountedAsync($"SELECT count(*) FROM payments WHERE state = 'authorized' AND cause_id = '{load.Published.MaxBy(one => one.Value).Key}'", 1);
        report.Add(new("payments.hanging.authorized", Math.Round(asked.Elapsed.TotalSeconds, 2), "s", null, 2, LowerIsBetter: true));

        async Task CountedAsync(string sql, int wanted)
        {
            for (var waited = Stopwatch.StartNew(); await CountAsync(source, sql, cancellationToken) < wanted; await Task.Delay(20, cancellationToken))
            {
                if (waited.Elapsed > CatchUpDeadline)
                    throw new InvalidOperationException($"{wanted} payments did not come to that in {CatchUpDeadline}: {sql}");
            }
        }
    }

    private const string Screened = "SELECT coalesce(sum(next_offset), 0)::bigint FROM consumer_offsets", Waiting = "SELECT count(*) FROM payments WHERE due_at IS NOT NULL";

    private static double Percentile(List<(DateTimeOffset At, double Milliseconds)> latencies, DateTimeOffset from, DateTimeOffset to, double fraction)
    {
        var sorted = latencies.Where(one => one.At >= from && one.At < to).Select(one => one.Milliseconds).Order().ToList();
        return sorted.Count == 0 ? throw new InvalidOperationException("Nothing was measured") : Math.Round(sorted[(int)(fraction * (sorted.Count - 1))], 2);
    }

    private static Task<ServiceProcess> StartPaymentsAsync((string, string)[] settings, CancellationToken cancellationToken) =>
        ServiceProcess.StartAsync("Payments.dll", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Ports.Free()}"), settings, cancellationToken);

    private static Task<ServiceProcess> StartProviderAsync(string address, DirectoryInfo data, CancellationToken cancellationToken) =>
        ServiceProcess.StartAsync("PaymentProvider.dll", address, [("Ledger__Directory", Path.Combine(data.FullName, "ledger"))], cancellationToken);

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<long> CountAsync(NpgsqlDataSource source, string sql, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
