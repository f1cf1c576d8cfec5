using System.Diagnostics;
using System.Globalization;
using Shop.Benchmarks.Broker;
using Shop.Contracts;

namespace Shop.Benchmarks.Inventory;

/// <summary>
/// Devices that send while people order: Orders, Inventory, Payments and the payment provider as processes, one of each, with EmbeddedKafka and a
/// PostgreSQL with fsync on; devices, shoppers and all of that on the same machine. How long an order takes until it is confirmed, first without devices:
/// so few orders a second that two cores have room for devices, since on full ones every latency is a queue's.
/// </summary>
internal static class DevicesBench
{
    private const int Sensors = 100_000, ReadingsPerSecond = 5_000, OrdersPerSecond = 3, Products = 20, Shelves = 40;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(15), Without = TimeSpan.FromSeconds(30), With = TimeSpan.FromMinutes(1), Deadline = TimeSpan.FromMinutes(3);

    /// <summary>Runs it.</summary>
    /// <exception cref="InvalidOperationException">A part did not start, an order was not confirmed, or readings were not handled in time.</exception>
    public static async Task RunAsync(Report report, CancellationToken cancellationToken)
    {
        var data = Directory.CreateTempSubdirectory("shop-bench-");
        try
        {
            await using var postgres = await CommitTimes.StartPostgresAsync(Path.Combine(data.FullName, "postgres"), cancellationToken);
            await using var kafka = await EmbeddedKafkaProcess.StartAsync(data.CreateSubdirectory("kafka").FullName, cancellationToken);
            // a sensor of the first seconds is not silent before the last has sent
            await using var services = await OrderingServices.StartAsync(postgres, kafka, data.FullName, Products, [("Sensors__SilentAfter", "01:00:00")], cancellationToken);
            await services.ExecuteAsync($"""
                INSERT INTO sensors (name, kind, min_celsius, max_celsius, key_digest, registered_at) SELECT 'bench-' || i, 'temperature', 2, 8, sha256('{DeviceLoad.Key}'), now() FROM generate_series(0, {Sensors - 1}) i;
                INSERT INTO sensor_states (sensor, strikes) SELECT name, 0 FROM sensors;
                ANALYZE
                """, cancellationToken);
            foreach (var statement in Thefts.Setup(Shelves))
                await services.ExecuteAsync(statement, cancellationToken);
            var inventory = services.Inventory;

            using var shoppers = new OrderLoad(services.OrdersUrl, kafka.BootstrapServers, Products);
            using var devices = new DeviceLoad(services.InventoryUrl, Sensors);
            using var thefts = new Thefts(services.InventoryUrl, kafka.BootstrapServers, Shelves);
            Report.Progress("warming up");
            await shoppers.OrderableAsync(Deadline, cancellationToken);
            await Task.WhenAll(shoppers.OrderAsync(OrdersPerSecond, WarmUp, cancellationToken), devices.SendAsync(ReadingsPerSecond / 5, WarmUp, cancellationToken));
            await shoppers.ConfirmedAsync(Deadline, cancellationToken);

            Report.Progress($"{OrdersPerSecond} orders a second, without devices");
            await shoppers.OrderAsync(OrdersPerSecond, Without, cancellationToken);
            var without = await shoppers.ConfirmedAsync(Deadline, cancellationToken);
            Report.Progress($"{OrdersPerSecond} orders and {ReadingsPerSecond:N0} readings a second");
            var sent = devices.Sent;
            var (watch, cpu) = (Stopwatch.StartNew(), inventory.CpuTime);
            var ordering = shoppers.OrderAsync(OrdersPerSecond, With, cancellationToken);
            await devices.SendAsync(ReadingsPerSecond, With, cancellationToken);
            var (perSecond, used) = ((devices.Sent - sent) / watch.Elapsed.TotalSeconds, inventory.CpuTime - cpu);
            var caughtUp = await HandledAsync(devices.Sent);
            await ordering;
            var with = await shoppers.ConfirmedAsync(Deadline, cancellationToken);
            Report.Progress(string.Create(CultureInfo.InvariantCulture, $"  Inventory used {used.TotalSeconds / watch.Elapsed.TotalSeconds:N2} cores; p99 of orders {At(without, 0.99):N1} ms without devices, {At(with, 0.99):N1} ms with them"));
            // within a percent: the pace is a clock's
            report.Add(new("inventory.devices.accepted", perSecond, "readings/s", null, 0.99 * ReadingsPerSecond, LowerIsBetter: false));
            report.Add(new("inventory.devices.refused", devices.Refused, "requests", null, 0, LowerIsBetter: true));
            report.Add(new("inventory.devices.order.p50", At(with, 0.5), "ms", new("without devices", At(without, 0.5), "ms"), 1.5, LowerIsBetter: true));
            report.Add(new("inventory.devices.caught-up", caughtUp.TotalSeconds, "s", null, 2, LowerIsBetter: true));

            Report.Progress($"three pieces are taken from each of {Shelves} shelves, beside {OrdersPerSecond} orders and {ReadingsPerSecond:N0} readings a second");
            ordering = shoppers.OrderAsync(OrdersPerSecond, With, cancellationToken);
            var sending = devices.SendAsync(ReadingsPerSecond, With, cancellationToken);
            var told = await thefts.StealAsync(With, cancellationToken);
            await Task.WhenAll(ordering, sending);
            Report.Progress(string.Create(CultureInfo.InvariantCulture, $"  told after {At(told, 0.5):N0} ms (p50), of which a shelf that speaks every half second, and is believed the second time, takes 500 to 1,000"));
            report.Add(new("inventory.devices.theft", At(told, 1), "ms at most", null, 2_000, LowerIsBetter: true));

            Report.Progress($"{Sensors:N0} sensors, each of which sends");
            await devices.SendOnceEachAsync(cancellationToken);
            await HandledAsync(devices.Sent + thefts.Sent);
            if (await CountAsync("SELECT count(*) FROM sensor_states WHERE heard_at IS NOT NULL AND sensor LIKE 'bench-%'") is var heard && heard != Sensors)
                throw new InvalidOperationException($"{Sensors} sensors have sent, {heard} were heard");
            report.Add(new("inventory.devices.memory", inventory.PeakMebibytes, "MiB", null, 400, LowerIsBetter: true));

            // how long it took until so many readings were handled
            async Task<TimeSpan> HandledAsync(long readings)
            {
                var waited = Stopwatch.StartNew();
                while (await CountAsync($"SELECT coalesce(sum(next_offset), 0)::bigint FROM consumer_offsets WHERE topic = '{Topics.SensorReadings.Name}'") is var handled && handled < readings)
                {
                    if (waited.Elapsed > Deadline)
                        throw new InvalidOperationException($"Only {handled} of {readings} readings were handled");
                    await Task.Delay(20, cancellationToken);
                }
                return waited.Elapsed;
            }

            async Task<long> CountAsync(string sql)
            {
                await using var command = services.InventoryDatabase.CreateCommand(sql);
                return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
            }
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    private static double At(List<double> sorted, double fraction) => Math.Round(sorted[(int)(fraction * (sorted.Count - 1))], 2);
}
