using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;
using Shop.AppHost.Postgres;

namespace Shop.Benchmarks.Messaging;

/// <summary>The denominators: pgbench, one client, writes the rows that consuming writes, set-based, in transactions of a full batch; or drains them.</summary>
internal static partial class PgBench
{
    private const int Batch = 300;

    /// <summary>Two batches in each transaction's turn: the first inserts sagas, the second changes them, as the measured records do.</summary>
    private const string Script = """
        \set partition random(0, 5)
        SELECT nextval('batches') AS batch \gset
        BEGIN;
        UPDATE consumer_offsets SET next_offset = next_offset + 300 WHERE endpoint = 'bench.saga' AND topic = 'accounts' AND partition = :partition;
        INSERT INTO inbox (event_id, endpoint) SELECT bench_id(:batch * 600 + i), 'bench.saga' FROM generate_series(1, 300) i ON CONFLICT DO NOTHING;
        INSERT INTO accounts SELECT bench_id(:batch * 600 + i), 'Open', 1, 1 FROM generate_series(1, 300) i;
        INSERT INTO outbox (shard, topic, key, event_id, event_type, occurred_at, causation_id, trace_parent, body)
          SELECT i % 16, 'notes', bench_id(:batch * 600 + i)::text, bench_id(:batch * 600 + i), 'shop.notes.account-noted.v1', now(), bench_id(i), NULL, convert_to(repeat('x', 300), 'UTF8')
          FROM generate_series(1, 300) i;
        COMMIT;
        BEGIN;
        UPDATE consumer_offsets SET next_offset = next_offset + 300 WHERE endpoint = 'bench.saga' AND topic = 'accounts' AND partition = :partition;
        INSERT INTO inbox (event_id, endpoint) SELECT bench_id(:batch * 600 + i), 'bench.saga' FROM generate_series(301, 600) i ON CONFLICT DO NOTHING;
        UPDATE accounts SET changes = changes + 1, version = version + 1 FROM (SELECT bench_id(:batch * 600 + i) AS id FROM generate_series(1, 300) i) changed WHERE correlation_id = changed.id;
        INSERT INTO outbox (shard, topic, key, event_id, event_type, occurred_at, causation_id, trace_parent, body)
          SELECT i % 16, 'notes', bench_id(:batch * 600 + i)::text, bench_id(:batch * 600 + i), 'shop.notes.account-noted.v1', now(), bench_id(i), NULL, convert_to(repeat('x', 300), 'UTF8')
          FROM generate_series(301, 600) i;
        COMMIT;
        """;

    /// <summary>Rows of one poll, as many as the relay reads at once.</summary>
    private const int PollBatch = 5_000;

    private const string PollScript = """
        BEGIN;
        SET LOCAL enable_seqscan = off;
        SET LOCAL enable_bitmapscan = off;
        SET LOCAL max_parallel_workers_per_gather = 0;
        SELECT id, topic, key, event_id, event_type, occurred_at, causation_id, trace_parent, scheduling_token, body FROM outbox ORDER BY id LIMIT 5000;
        DELETE FROM outbox WHERE id = ANY(ARRAY(SELECT id FROM outbox ORDER BY id LIMIT 5000));
        COMMIT;
        """;

    /// <summary>Records a second.</summary>
    /// <param name="connectionString">A database with the service's tables, which are emptied.</param>
    /// <param name="duration">How long it runs.</param>
    /// <param name="cancellationToken">Kills it.</param>
    public static async Task<double> RunAsync(string connectionString, TimeSpan duration, CancellationToken cancellationToken)
    {
        await using (var dataSource = NpgsqlDataSource.Create(connectionString))
        {
            await using var prepare = dataSource.CreateCommand("""
                TRUNCATE inbox, accounts, outbox, consumer_offsets;
                CREATE SEQUENCE batches;
                CREATE FUNCTION bench_id(bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('019a0000' || lpad(to_hex($1), 24, '0'))::uuid $$;
                INSERT INTO consumer_offsets SELECT 'bench.saga', 'accounts', p, 0 FROM generate_series(0, 5) p
                """);
            await prepare.ExecuteNonQueryAsync(cancellationToken);
        }
        return await TransactionsAsync(connectionString, Script, "-T", $"{duration.TotalSeconds:0}", cancellationToken) * 2 * Batch;
    }

    /// <summary>Polling and deleting, the plainest way to drain an outbox: rows a second.</summary>
    /// <param name="connectionString">A database whose outbox has the rows.</param>
    /// <param name="rows">How many they are.</param>
    /// <param name="cancellationToken">Kills it.</param>
    public static async Task<double> PollAsync(string connectionString, int rows, CancellationToken cancellationToken) =>
        await TransactionsAsync(connectionString, PollScript, "-t", $"{rows / PollBatch}", cancellationToken) * PollBatch;

    /// <summary>Transactions a second.</summary>
    /// <param name="connectionString">The database.</param>
    /// <param name="transaction">The script.</param>
    /// <param name="limit">Of time or transactions: the option <c>-T</c> (seconds) or <c>-t</c>.</param>
    /// <param name="value">The limit.</param>
    /// <param name="cancellationToken">Kills it.</param>
    internal static async Task<double> TransactionsAsync(string connectionString, string transaction, string limit, string value, CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnectionStringBuilder(connectionString);
        var script = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(script, transaction, cancellationToken);
            var start = new ProcessStartInfo(Program("pgbench"),
                ["-n", "-M", "prepared", "-c", "1", limit, value, "-f", script, "-h", connection.Host!, "-p", $"{connection.Port}", "-U", connection.Username!, connection.Database!])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["PGPASSWORD"] = connection.Password, ["PGOPTIONS"] = connection.Options },
            };
            using var process = Process.Start(start)!;
            await using var kill = cancellationToken.Register(process.Kill);
            var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
            var output = await process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            await process.WaitForExitAsync(CancellationToken.None);
            cancellationToken.ThrowIfCancellationRequested();
            return Rate().Match(output) is { Success: true } match
                ? double.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
                : throw new InvalidOperationException($"pgbench failed: {output}{await error}");
        }
        finally
        {
            File.Delete(script);
        }
    }

    /// <summary>A program of PostgreSQL's: beside the server's, also where only those have links on PATH.</summary>
    internal static string Program(string name)
    {
        var server = Path.Combine(PostgresPrograms.Find() ?? throw new InvalidOperationException(PostgresPrograms.Missing), "postgres");
        var programs = Path.GetDirectoryName(File.ResolveLinkTarget(server, returnFinalTarget: true)?.FullName ?? server)!;
        return Path.Combine(programs, name);
    }

    [GeneratedRegex(@"tps = ([\d.]+)")]
    private static partial Regex Rate();
}
