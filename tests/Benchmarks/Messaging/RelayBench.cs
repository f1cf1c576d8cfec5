using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shop.Benchmarks.Broker;
using Shop.Messaging.Outbox;
using Shop.Messaging.Schema;
using Shop.Testing;

namespace Shop.Benchmarks.Messaging;

/// <summary>The relay draining an outbox of which nothing has left yet, against pgbench polling and deleting the same rows.</summary>
internal static class RelayBench
{
    private const int Rows = 300_000;
    private const int SingleRows = 10_000;

    /// <summary>More than the relay has on its way at once: when it has taken the last row, all but these have left.</summary>
    private const int MostInFlight = 30_000;

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    /// <summary>The relay as it is, and reading one row at a time.</summary>
    public static Task RunAsync(Report report, CancellationToken cancellationToken) => MessagingBench.WithPostgresAsync(async (postgres, data) =>
    {
        Report.Progress($"relaying {Rows:N0} rows of 300 bytes");
        var relayed = await RelayAsync(postgres, data, Rows, null, cancellationToken);
        report.Add(new("messaging.relay", relayed, "rows/s", null, 100_000, LowerIsBetter: false));
        Report.Progress("pgbench polling and deleting the same rows, which go nowhere");
        report.Add(new("messaging.relay.polled", relayed, "rows/s", new("pgbench, poll + delete", await PollAsync(postgres, cancellationToken), "rows/s"), 0.5, LowerIsBetter: false));
        Report.Progress($"relaying {SingleRows:N0} rows, one at a time");
        report.Add(new("messaging.relay.batch1", await RelayAsync(postgres, data, SingleRows, 1, cancellationToken), "rows/s", null, 1_000, LowerIsBetter: false));
    }, cancellationToken);

    /// <summary>The rows become visible in one commit; the clock runs until the last has left the outbox.</summary>
    private static async Task<double> RelayAsync(PostgresCluster postgres, DirectoryInfo data, int rows, int? batch, CancellationToken cancellationToken)
    {
        await using var kafka = await EmbeddedKafkaProcess.StartAsync(data.CreateSubdirectory($"relay-{Guid.CreateVersion7()}").FullName, cancellationToken);
        var database = await MessagingBench.NewDatabaseAsync(postgres, cancellationToken);
        await using var service = await AccountService.StartAsync(database, kafka.BootstrapServers, batch, withSaga: false, null, cancellationToken);
        var signal = service.Services.GetRequiredService<OutboxSignal>();
        await using var dataSource = NpgsqlDataSource.Create(database);
        // as much as is measured, so that the compiler is done; then an outbox of which nothing has left yet
        await InsertAsync(dataSource, 1, rows, cancellationToken);
        var cold = await DrainAsync(dataSource, signal, cancellationToken);
        await using (var vacuum = dataSource.CreateCommand("VACUUM outbox"))
            await vacuum.ExecuteNonQueryAsync(cancellationToken);
        await InsertAsync(dataSource, rows + 1, rows, cancellationToken);
        var cpu = await CpuTimes.NowAsync(postgres, kafka, cancellationToken);
        var allocated = GC.GetTotalAllocatedBytes();
        var elapsed = await DrainAsync(dataSource, signal, cancellationToken);
        allocated = GC.GetTotalAllocatedBytes() - allocated;
        cpu = await CpuTimes.NowAsync(postgres, kafka, cancellationToken) - cpu;
        AccountRecords.CheckOrder(kafka.BootstrapServers, 2 * rows);
        Report.Progress(string.Create(CultureInfo.InvariantCulture,
            $"  {rows / elapsed.TotalSeconds:N0} rows/s after {rows / cold.TotalSeconds:N0} while cold, each key's in their order"));
        Report.Progress($"  a row takes {cpu.PerRow(rows)}, and makes {allocated / rows} bytes of garbage");
        return rows / elapsed.TotalSeconds;
    }

    private static async Task<double> PollAsync(PostgresCluster postgres, CancellationToken cancellationToken)
    {
        var database = await MessagingBench.NewDatabaseAsync(postgres, cancellationToken);
        await using (await AccountService.StartAsync(database, "127.0.0.1:1", null, withSaga: false, null, cancellationToken))
        {
            // only for its tables
        }
        await using var dataSource = NpgsqlDataSource.Create(database);
        await InsertAsync(dataSource, 1, Rows, cancellationToken);
        var perSecond = await PgBench.PollAsync(database, Rows, cancellationToken);
        return await LastAfterAsync(dataSource, 0, cancellationToken) == 0 ? perSecond : throw new InvalidOperationException("pgbench left rows behind");
    }

    private static async Task InsertAsync(NpgsqlDataSource dataSource, int first, int rows, CancellationToken cancellationToken)
    {
        await using var insert = dataSource.CreateCommand("""
            INSERT INTO outbox (shard, topic, key, event_id, event_type, occurred_at, causation_id, trace_parent, body)
            SELECT i % 16, 'notes', 'account-' || i % 10000, gen_random_uuid(), 'shop.notes.account-noted.v1', now(), gen_random_uuid(), NULL,
              convert_to('{"accountId":"' || gen_random_uuid() || '","number":' || lpad(i::text, 8) || ',"note":"' || repeat(md5(i::text), 7) || '"}', 'UTF8')
            FROM generate_series($1, $1 + $2 - 1) i
            """);
        insert.Parameters.Add(SqlParameter.Of(first));
        insert.Parameters.Add(SqlParameter.Of(rows));
        await insert.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Wakes the relay, as a commit of its own process does, and waits for the last row to leave.</summary>
    private static async Task<TimeSpan> DrainAsync(NpgsqlDataSource dataSource, OutboxSignal signal, CancellationToken cancellationToken)
    {
        var last = await LastAfterAsync(dataSource, 0, cancellationToken);
        var watch = Stopwatch.StartNew();
        signal.Set();
        // only the newest rows are asked for, from their end: a look at a table full of deleted rows costs more than relaying does
        while (await LastAfterAsync(dataSource, last - MostInFlight, cancellationToken) > 0)
        {
            if (watch.Elapsed > Deadline)
                throw new InvalidOperationException($"The outbox was not drained within {Deadline}");
            await Task.Delay(10, cancellationToken);
        }
        var elapsed = watch.Elapsed;
        return await LastAfterAsync(dataSource, 0, cancellationToken) == 0 ? elapsed : throw new InvalidOperationException("Rows were left behind in the outbox");
    }

    /// <summary>The highest id above <paramref name="id"/>; 0 when there is none.</summary>
    private static async Task<long> LastAfterAsync(NpgsqlDataSource dataSource, long id, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("SELECT id FROM outbox WHERE id > $1 ORDER BY id DESC LIMIT 1");
        command.Parameters.Add(SqlParameter.Of(id));
        return (long?)await command.ExecuteScalarAsync(cancellationToken) ?? 0;
    }
}
