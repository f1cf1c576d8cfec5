using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Shop.Benchmarks.Broker;
using Shop.Benchmarks.Inventory;
using Shop.Benchmarks.Messaging;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Benchmarks.Activity;

/// <summary>
/// Services that log a lot and visitors who do a lot, while people order: all services as processes, one of each, with EmbeddedKafka and a PostgreSQL with fsync
/// on, the load and all of that on the same machine. How long an order takes until it is confirmed, first without the load: so few orders a second that
/// it is theirs and no queue's.
/// </summary>
internal static class LogsBench
{
    private const int LinesPerSecond = 20_000, EventsPerSecond = 5_000, LoggingServices = 4, OrdersPerSecond = 3, Products = 20;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(15), Without = TimeSpan.FromSeconds(30), With = TimeSpan.FromSeconds(40), Deadline = TimeSpan.FromMinutes(3);

    /// <summary>Runs it.</summary>
    /// <exception cref="InvalidOperationException">A part did not start, or an order was not confirmed.</exception>
    public static Task RunAsync(Report report, CancellationToken cancellationToken) => MessagingBench.WithPostgresAsync(async (postgres, data) =>
    {
        await using var kafka = await EmbeddedKafkaProcess.StartAsync(data.CreateSubdirectory("kafka").FullName, cancellationToken);
        await ShopEvents.ProduceAsync(kafka.BootstrapServers, 0, cancellationToken);
        await using var services = await OrderingServices.StartAsync(postgres, kafka, data.FullName, Products, [], cancellationToken);
        var (url, database) = (OrderingServices.Url(), await postgres.CreateDatabaseAsync("activity", cancellationToken));
        await using var activity = await ServiceProcess.StartAsync("Activity.dll", url,
        [
            ("ConnectionStrings__activity", database), ("ConnectionStrings__kafka", kafka.BootstrapServers), ("Authentication__SigningKey", TestTokens.SigningKey),
            ("Visitors__CookieKey", Convert.ToBase64String(new byte[32])), ("Warehouse__Directory", Path.Combine(data.FullName, "warehouse")),
        ], cancellationToken);
        var databases = new List<string>();
        for (var i = 0; i < LoggingServices; i++)
            databases.Add(await MessagingBench.NewDatabaseAsync(postgres, cancellationToken));
        await using var logs = await LogLoad.StartAsync(kafka.BootstrapServers, databases, cancellationToken);
        using var visitors = new VisitorLoad(url);
        using var shoppers = new OrderLoad(services.OrdersUrl, kafka.BootstrapServers, Products);
        await using var indexed = NpgsqlDataSource.Create(database);

        Report.Progress("warming up");
        await shoppers.OrderableAsync(Deadline, cancellationToken);
        await Task.WhenAll(shoppers.OrderAsync(OrdersPerSecond, WarmUp, cancellationToken), logs.LogAsync(LinesPerSecond / 10, WarmUp, cancellationToken), visitors.SendAsync(EventsPerSecond / 10, WarmUp, cancellationToken));
        await shoppers.ConfirmedAsync(Deadline, cancellationToken);
        await IndexedAsync();

        Report.Progress("a request that Payments cannot read, until it is an alarm with its order");
        report.Add(new("activity.alarm", (await AlarmedAsync()).TotalSeconds, "s", null, 5, LowerIsBetter: true));
        Report.Progress($"{OrdersPerSecond} orders a second, without anything else");
        await shoppers.OrderAsync(OrdersPerSecond, Without, cancellationToken);
        var without = await shoppers.ConfirmedAsync(Deadline, cancellationToken);
        Report.Progress($"{OrdersPerSecond} orders, {LinesPerSecond:N0} lines and {EventsPerSecond:N0} events of visitors a second");
        var (logged, dropped, sent, lines) = (logs.Logged, logs.Dropped, visitors.Sent, await LinesAsync());
        var (watch, cpu, postgresCpu) = (Stopwatch.StartNew(), activity.CpuTime, (await CpuTimes.NowAsync(postgres, kafka, cancellationToken)).Postgres);
        await Task.WhenAll(shoppers.OrderAsync(OrdersPerSecond, With, cancellationToken), logs.LogAsync(LinesPerSecond, With, cancellationToken), visitors.SendAsync(EventsPerSecond, With, cancellationToken));
        var (seconds, own) = (watch.Elapsed.TotalSeconds, activity.CpuTime - cpu);
        var (theirs, meanwhile) = ((await CpuTimes.NowAsync(postgres, kafka, cancellationToken)).Postgres - postgresCpu, await LinesAsync() - lines);
        Report.Progress(string.Create(CultureInfo.InvariantCulture, $"  Activity used {own.TotalSeconds / seconds:N2} cores, PostgreSQL {theirs.TotalSeconds / seconds:N2}; {meanwhile / seconds:N0} lines a second were indexed"));
        var with = await shoppers.ConfirmedAsync(Deadline, cancellationToken);
        var caughtUp = await IndexedAsync();
        Report.Progress(string.Create(CultureInfo.InvariantCulture, $"  p99 of orders {At(without, 0.99):N1} ms without, {At(with, 0.99):N1} ms with it; all lines were indexed {caughtUp.TotalSeconds:N1} s after the last order was confirmed"));
        report.Add(new("activity.logs.order.p50", At(with, 0.5), "ms", new("without logs", At(without, 0.5), "ms"), 1.2, LowerIsBetter: true));
        // within a percent: the pace is a clock's
        report.Add(new("activity.logs.lines", (logs.Logged - logged) / seconds, "lines/s", null, 0.98 * LinesPerSecond, LowerIsBetter: false));
        report.Add(new("activity.logs.dropped", logs.Dropped - dropped, "lines", null, 0, LowerIsBetter: true));
        report.Add(new("activity.logs.visitors", (visitors.Sent - sent) / seconds, "events/s", null, 0.98 * EventsPerSecond, LowerIsBetter: false));

        // until what was logged and not dropped is indexed, or is counted as a drop by the line behind it
        async Task<TimeSpan> IndexedAsync()
        {
            var waited = Stopwatch.StartNew();
            while (await LinesAsync() is var there && there < logs.Logged - logs.Dropped)
            {
                if (waited.Elapsed > Deadline)
                    throw new InvalidOperationException($"Only {there} of {logs.Logged} lines were indexed, {logs.Dropped} were dropped");
                await Task.Delay(200, cancellationToken);
            }
            return waited.Elapsed;
        }

        async Task<TimeSpan> AlarmedAsync()
        {
            var (order, type, waited) = (Guid.CreateVersion7().ToString(), Topics.Orders.Events.Single(e => e.ClrType == typeof(PaymentRequested)).Name, Stopwatch.StartNew());
            await BulkProducer.ProduceAsync(kafka.BootstrapServers, Topics.Orders.Name, [(order, type, "no request"u8.ToArray())], cancellationToken);
            for (var alarms = 0L; alarms == 0; await Task.Delay(20, cancellationToken))
            {
                await using var command = indexed.CreateCommand("SELECT count(*) FROM alarms WHERE service = 'payments' AND strpos(detail, $1) > 0");
                command.Parameters.AddWithValue(order);
                alarms = (long)(await command.ExecuteScalarAsync(cancellationToken))!;
                if (waited.Elapsed > Deadline)
                    throw new InvalidOperationException("The error in Payments has become no alarm");
            }
            return waited.Elapsed;
        }

        async Task<long> LinesAsync()
        {
            await using var command = indexed.CreateCommand("SELECT count(*) FROM log_lines WHERE service LIKE 'logging-%'");
            return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
        }
    }, cancellationToken);

    private static double At(List<double> sorted, double fraction) => Math.Round(sorted[(int)(fraction * (sorted.Count - 1))], 2);
}
