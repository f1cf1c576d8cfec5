using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shop.Activity.CountingWindows;
using Shop.Benchmarks.Broker;
using Shop.Benchmarks.Messaging;
using Shop.Testing;

namespace Shop.Benchmarks.Activity;

/// <summary>Windows counted exactly once over a million events: with the events' ids and offsets in PostgreSQL with fsync on, by Activity's windows alone.</summary>
internal static class WindowsBench
{
    private const int PerOrder = ShopEvents.OfOrders + ShopEvents.OfPayments + ShopEvents.OfVisitors, WarmUp = 10_000, Orders = 1_000_000 / PerOrder;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    /// <summary>Runs it.</summary>
    /// <exception cref="InvalidOperationException">Not all were counted in time, or not once.</exception>
    public static Task RunAsync(Report report, CancellationToken cancellationToken) => MessagingBench.WithPostgresAsync(async (postgres, data) =>
    {
        Report.Progress("warming up");
        await CountAsync(postgres, data, WarmUp, cancellationToken);
        Report.Progress($"{Orders * PerOrder:N0} events into windows");
        var perSecond = await CountAsync(postgres, data, Orders, cancellationToken);
        report.Add(new("activity.windows", perSecond, "events/s", null, 100_000, LowerIsBetter: false));
    }, cancellationToken);

    /// <summary>Events wait in Kafka; the clock runs from the first commit to the last.</summary>
    private static async Task<double> CountAsync(PostgresCluster postgres, DirectoryInfo data, int orders, CancellationToken cancellationToken)
    {
        await using var kafka = await EmbeddedKafkaProcess.StartAsync(data.CreateSubdirectory($"windows-{orders}").FullName, cancellationToken);
        var database = await MessagingBench.NewDatabaseAsync(postgres, cancellationToken);
        await ShopEvents.ProduceAsync(kafka.BootstrapServers, orders, cancellationToken);
        await using var source = NpgsqlDataSource.Create(database);
        var service = await ActivityHost.StartAsync(database, kafka.BootstrapServers,
            messaging => messaging.Endpoint("windows", endpoint => endpoint.Consumes(Kinds.CountedTopics).BatchHandler<WindowHandler>().Idempotent()),
            builder => builder.Services.AddSingleton<CountedEvents>().AddOptions<WindowOptions>(), [], cancellationToken);
        try
        {
            long before, done;
            while ((before = await CountedAsync()) == 0)
                await Task.Delay(5, cancellationToken);
            var (watch, cpu, postgresCpu) = (Stopwatch.StartNew(), Process.GetCurrentProcess().TotalProcessorTime, (await CpuTimes.NowAsync(postgres, kafka, cancellationToken)).Postgres);
            while ((done = await CountedAsync()) < orders * PerOrder)
            {
                if (watch.Elapsed > Deadline)
                    throw new InvalidOperationException($"Only {done} of {orders * PerOrder} events were counted");
                await Task.Delay(20, cancellationToken);
            }
            var perSecond = (done - before) / watch.Elapsed.TotalSeconds;
            var (own, theirs) = (Process.GetCurrentProcess().TotalProcessorTime - cpu, (await CpuTimes.NowAsync(postgres, kafka, cancellationToken)).Postgres - postgresCpu);
            Report.Progress(string.Create(CultureInfo.InvariantCulture, $"  {perSecond:N0}/s; for each event {own.TotalMicroseconds / (done - before):N1} us of Activity's CPU time, {theirs.TotalMicroseconds / (done - before):N1} of PostgreSQL's"));
            // each event once, or all of this is worth nothing
            await using var sums = source.CreateCommand("SELECT string_agg(measure || ' ' || trunc(value), ', ' ORDER BY measure) FROM (SELECT measure, sum(value) AS value FROM window_counts WHERE measure IN ('submitted', 'confirmed', 'fulfilled', 'viewed', 'sold') GROUP BY 1) sums");
            var counted = (string)(await sums.ExecuteScalarAsync(cancellationToken))!;
            if (counted != $"confirmed {orders}, fulfilled {orders}, sold {3 * orders}, submitted {orders}, viewed {orders}")
                throw new InvalidOperationException($"Of {orders} orders were counted: {counted}");
            return perSecond;
        }
        finally
        {
            await service.EndAsync();
        }

        async Task<long> CountedAsync()
        {
            await using var command = source.CreateCommand("SELECT coalesce(sum(next_offset), 0)::bigint FROM consumer_offsets WHERE endpoint = 'activity.windows'");
            return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
        }
    }
}
