using System.Diagnostics;
using System.Globalization;
using DuckDB.NET.Data;
using Parquet;
using Shop.Activity.Warehouse;
using Shop.Benchmarks.Broker;
using Shop.Benchmarks.Messaging;
using Shop.Contracts.Warehouse;
using Shop.Testing;

namespace Shop.Benchmarks.Activity;

/// <summary>
/// A million events from their topics into the warehouse's files, by its writer alone; and the same rows by DuckDB, which has them in memory as typed columns
/// already, on all cores, and does not sync its files.
/// </summary>
internal static class WarehouseBench
{
    private const int WarmUp = 5_000, Orders = 1_000_000 / ShopEvents.PerOrder;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3), MaxAge = TimeSpan.FromSeconds(1);

    /// <summary>Runs it.</summary>
    /// <exception cref="InvalidOperationException">Not all rows were written in time, or not once.</exception>
    public static Task RunAsync(Report report, CancellationToken cancellationToken) => MessagingBench.WithPostgresAsync(async (postgres, data) =>
    {
        Report.Progress("warming up");
        await ArchiveAsync(postgres, data, WarmUp, cancellationToken);
        Report.Progress($"{Orders * ShopEvents.PerOrder:N0} events into files");
        var (perSecond, folder) = await ArchiveAsync(postgres, data, Orders, cancellationToken);
        Report.Progress("DuckDB's COPY of the same rows, and the writing of files alone");
        var copied = new Baseline("DuckDB's COPY", await CopyAsync(folder, Path.Combine(data.FullName, "copy"), cancellationToken), "rows/s");
        report.Add(new("activity.warehouse", perSecond, "events/s", copied, 50_000, LowerIsBetter: false) { IsGoalOfValue = true });
        report.Add(new("activity.warehouse.files", await WriteAsync(folder, Path.Combine(data.FullName, "again"), cancellationToken), "rows/s", copied, 0.5, LowerIsBetter: false));
    }, cancellationToken);

    /// <summary>Events wait in Kafka; the clock runs from when the writer begins until each is in a file, the wait for the age of the last files included.</summary>
    private static async Task<(double PerSecond, string Folder)> ArchiveAsync(PostgresCluster postgres, DirectoryInfo data, int orders, CancellationToken cancellationToken)
    {
        await using var kafka = await EmbeddedKafkaProcess.StartAsync(data.CreateSubdirectory($"kafka-{orders}").FullName, cancellationToken);
        var (folder, events) = (data.CreateSubdirectory($"warehouse-{orders}").FullName, (long)orders * ShopEvents.PerOrder);
        await ShopEvents.ProduceAsync(kafka.BootstrapServers, orders, cancellationToken);
        var service = await ActivityHost.StartAsync(await MessagingBench.NewDatabaseAsync(postgres, cancellationToken), kafka.BootstrapServers, _ => { }, builder => builder.AddWarehouse(),
            new() { ["Warehouse:Directory"] = folder, ["Warehouse:MaxAge"] = MaxAge.ToString() }, cancellationToken);
        var (watch, cpu) = (Stopwatch.StartNew(), Process.GetCurrentProcess().TotalProcessorTime);
        try
        {
            long written;
            while ((written = WarehouseFile.In(folder).Sum(file => file.Last - file.First + 1)) < events)
            {
                if (watch.Elapsed > Deadline)
                    throw new InvalidOperationException($"Only {written} of {events} events were written");
                await Task.Delay(20, cancellationToken);
            }
            var perSecond = events / watch.Elapsed.TotalSeconds;
            Report.Progress(string.Create(CultureInfo.InvariantCulture, $"  {perSecond:N0}/s in {WarehouseFile.In(folder).Count} files; {(Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalMicroseconds / events:N1} us of CPU time for each event"));
            return (perSecond, folder);
        }
        finally
        {
            await service.EndAsync();
        }
    }

    private static async Task<double> CopyAsync(string folder, string target, CancellationToken cancellationToken)
    {
        await using var duckDb = new DuckDBConnection("DataSource=:memory:");
        await duckDb.OpenAsync(cancellationToken);
        var (rows, time) = (0L, TimeSpan.Zero);
        foreach (var topic in WarehouseFile.In(folder).GroupBy(file => file.Topic))
        {
            var files = string.Join(", ", topic.Select(file => $"'{Path.Combine(folder, file.Path)}'"));
            Execute($"CREATE OR REPLACE TABLE archived AS SELECT * FROM read_parquet([{files}], hive_partitioning = true)");
            var watch = Stopwatch.StartNew();
            Execute($"COPY archived TO '{Directory.CreateDirectory(Path.Combine(target, topic.Key)).FullName}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (topic, date, hour), OVERWRITE_OR_IGNORE)");
            time += watch.Elapsed;
            await using var count = duckDb.CreateCommand();
            count.CommandText = "SELECT count(*) FROM (SELECT DISTINCT partition, \"offset\" FROM archived)";
            rows += (long)(await count.ExecuteScalarAsync(cancellationToken))!;
        }
        return rows == (long)Orders * ShopEvents.PerOrder ? rows / time.TotalSeconds : throw new InvalidOperationException($"The files have {rows} of {Orders * ShopEvents.PerOrder} offsets");

        void Execute(string sql)
        {
            using var command = duckDb.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }
    }

    /// <summary>The same files, from rows that are in memory as columns: as DuckDB has them.</summary>
    private static async Task<double> WriteAsync(string folder, string target, CancellationToken cancellationToken)
    {
        var warehouse = new LocalWarehouse(Directory.CreateDirectory(target).FullName);
        await warehouse.RecoverAsync(cancellationToken);
        var (written, time) = (0L, TimeSpan.Zero);
        foreach (var file in WarehouseFile.In(folder))
        {
            var rows = new RowBuffer(WarehouseTable.Of(file.Topic));
            await using (var stream = File.OpenRead(Path.Combine(folder, file.Path)))
            {
                await using var reader = await ParquetReader.CreateAsync(stream, leaveStreamOpen: true, cancellationToken: cancellationToken);
                for (var group = 0; group < reader.RowGroupCount; group++)
                    await rows.AddAsync(reader, group, cancellationToken);
            }
            written += rows.Rows;
            var watch = Stopwatch.StartNew();
            await warehouse.WriteAsync(file, file.First, stream => rows.WriteAsync(stream, cancellationToken), cancellationToken);
            time += watch.Elapsed;
        }
        return written / time.TotalSeconds;
    }
}
