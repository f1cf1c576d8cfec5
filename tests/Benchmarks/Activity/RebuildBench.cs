using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shop.Activity.RebuildingFeed;
using Shop.AppHost.Running;
using Shop.Benchmarks.Broker;
using Shop.Benchmarks.Messaging;
using Shop.Contracts;
using Shop.Messaging.Streams;
using Shop.Testing;

namespace Shop.Benchmarks.Activity;

/// <summary>
/// A million events of the feed rebuilt by Activity as it runs in the shop: filled, indexed, compared row by row and swapped. Against reading the same events and
/// writing nothing, and against psql's COPY of the same rows into a table of the same columns and indexes.
/// </summary>
internal static class RebuildBench
{
    private const int PerOrder = ShopEvents.OfOrders + ShopEvents.OfReservations + ShopEvents.OfPayments, Orders = 1_000_000 / PerOrder, Events = Orders * PerOrder;
    private const string Columns = "event_id, type, topic, partition, record_offset, key, source, subject, at, causation_id, trace_parent, data, malformed", Path = "/api/ops/activity/rebuild";
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    /// <summary>Runs it.</summary>
    /// <exception cref="InvalidOperationException">The feed or the rebuild did not come to its end in time, or differs.</exception>
    public static Task RunAsync(Report report, CancellationToken cancellationToken) => MessagingBench.WithPostgresAsync(async (postgres, data) =>
    {
        await using var kafka = await EmbeddedKafkaProcess.StartAsync(data.CreateSubdirectory("kafka").FullName, cancellationToken);
        var database = await MessagingBench.NewDatabaseAsync(postgres, cancellationToken);
        Report.Progress($"{Events:N0} events into the feed");
        await ShopEvents.ProduceAsync(kafka.BootstrapServers, Orders, cancellationToken);
        var url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Ports.Free()}");
        await using var source = NpgsqlDataSource.Create(database);
        await using var activity = await ServiceProcess.StartAsync("Activity.dll", url,
        [
            ("ConnectionStrings__activity", database), ("ConnectionStrings__kafka", kafka.BootstrapServers), ("Authentication__SigningKey", TestTokens.SigningKey),
            ("Visitors__CookieKey", Convert.ToBase64String(new byte[32])),
        ], cancellationToken);
        await UntilAsync("SELECT coalesce(sum(next_offset), 0)::bigint FROM consumer_offsets WHERE endpoint = 'activity.feed'", Events);
        await UntilAsync("SELECT coalesce(sum(next_offset), 0)::bigint FROM consumer_offsets WHERE endpoint = 'activity.windows'", Orders * (ShopEvents.OfOrders + ShopEvents.OfPayments + ShopEvents.OfVisitors));
        await CheckpointAsync();

        Report.Progress("rebuilding it");
        using var http = new HttpClient { BaseAddress = new(url) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", TestTokens.Operator());
        var (watch, cpu, postgresCpu) = (Stopwatch.StartNew(), activity.CpuTime, (await CpuTimes.NowAsync(postgres, kafka, cancellationToken)).Postgres);
        using (var begun = await http.PostAsJsonAsync(Path, new { from = "beginning" }, cancellationToken))
            begun.EnsureSuccessStatusCode();
        var (state, left, progress) = ("", TimeSpan.Zero, default(JsonElement));
        while (state != "done")
        {
            progress = await http.GetFromJsonAsync<JsonElement>(Path, cancellationToken);
            if (progress.GetProperty("state").GetString()! is var now && now != state)
            {
                Report.Progress(string.Create(CultureInfo.InvariantCulture, $"  {now} after {watch.Elapsed.TotalSeconds:N2} s"));
                state = now;
            }
            if (state == "cancelled" || watch.Elapsed > Deadline)
                throw new InvalidOperationException($"The rebuild is {state}");
            await Task.Delay(20, cancellationToken);
        }
        var seconds = watch.Elapsed.TotalSeconds;
        if (progress.GetProperty("differences").GetArrayLength() > 0)
            throw new InvalidOperationException($"The rebuild found differences where there are none: {progress}");
        var (own, theirs) = (activity.CpuTime - cpu, (await CpuTimes.NowAsync(postgres, kafka, cancellationToken)).Postgres - postgresCpu);
        Report.Progress(string.Create(CultureInfo.InvariantCulture, $"  {own.TotalSeconds:N1} s of Activity's CPU time, {theirs.TotalSeconds:N1} of PostgreSQL's"));

        Report.Progress("reading the same events; psql's COPY of the same rows");
        var read = await ReadAsync(database, kafka.BootstrapServers, cancellationToken);
        var (copied, indexed) = await CopyAsync();
        report.Add(new("activity.rebuild", Events / seconds, "events/s", new("COPY and its indexes", Events / (copied + indexed), "rows/s"), 120_000, LowerIsBetter: false) { IsGoalOfValue = true });
        report.Add(new("activity.rebuild.filling", progress.GetProperty("eventsPerSecond").GetDouble(), "events/s", new("psql's COPY", Events / copied, "rows/s"), 120_000, LowerIsBetter: false) { IsGoalOfValue = true });
        report.Add(new("activity.rebuild.ofReading", progress.GetProperty("eventsPerSecond").GetDouble(), "events/s", new("reading alone", read, "events/s"), 120_000, LowerIsBetter: false) { IsGoalOfValue = true });

        async Task<(double Copied, double Indexed)> CopyAsync()
        {
            var file = System.IO.Path.Combine(data.FullName, "rows");
            await PsqlAsync($"\\copy (SELECT {Columns} FROM events ORDER BY position) TO '{file}'");
            await ExecuteAsync("CREATE TABLE copied (LIKE events INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING IDENTITY INCLUDING STORAGE)");
            await CheckpointAsync();
            var began = Stopwatch.StartNew();
            await PsqlAsync($"\\copy copied ({Columns}) FROM '{file}'");
            var copy = began.Elapsed;
            await using var definitions = source.CreateCommand("SELECT indexdef FROM pg_indexes WHERE tablename = 'events' ORDER BY indexname");
            var statements = new List<string>();
            await using (var reader = await definitions.ExecuteReaderAsync(cancellationToken))
            {
                while (await reader.ReadAsync(cancellationToken))
                    statements.Add(reader.GetString(0));
            }
            foreach (var (statement, i) in statements.Select((statement, i) => (statement, i)))
                await ExecuteAsync($"CREATE INDEX copied_{i} ON copied{statement[statement.IndexOf(" USING ", StringComparison.Ordinal)..]}");
            return (copy.TotalSeconds, (began.Elapsed - copy).TotalSeconds);
        }

        async Task PsqlAsync(string command)
        {
            var connection = new NpgsqlConnectionStringBuilder(database);
            using var psql = Process.Start(new ProcessStartInfo(PgBench.Program("psql"), ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", connection.Host!, "-p", $"{connection.Port}", "-U", connection.Username!, "-d", connection.Database!, "-c", command])
            {
                RedirectStandardError = true,
                Environment = { ["PGPASSWORD"] = connection.Password },
            })!;
            var error = await psql.StandardError.ReadToEndAsync(cancellationToken);
            await psql.WaitForExitAsync(cancellationToken);
            if (psql.ExitCode != 0)
                throw new InvalidOperationException($"psql failed: {error}");
        }

        // what was written before is not written out while this is measured
        async Task CheckpointAsync()
        {
            await using var connection = new NpgsqlConnection(postgres.AdminConnectionString);
            await connection.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand("CHECKPOINT", connection) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        async Task ExecuteAsync(string sql)
        {
            await using var command = source.CreateCommand(sql);
            command.CommandTimeout = 0;
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        async Task UntilAsync(string sql, long expected)
        {
            var waited = Stopwatch.StartNew();
            while (true)
            {
                await using var command = source.CreateCommand(sql);
                if ((long)(await command.ExecuteScalarAsync(cancellationToken))! is var there && there >= expected)
                    return;
                if (waited.Elapsed > Deadline)
                    throw new InvalidOperationException($"Only {there} of {expected} events were handled");
                await Task.Delay(100, cancellationToken);
            }
        }
    }, cancellationToken);

    /// <summary>Events a second where nothing is done with them; the second time, when the code is warm.</summary>
    private static async Task<double> ReadAsync(string database, string kafka, CancellationToken cancellationToken)
    {
        var host = await ActivityHost.StartAsync(database, kafka, _ => { }, _ => { }, [], cancellationToken);
        try
        {
            using var reader = host.Services.GetRequiredService<LogReaders>().Open();
            var ends = new Positions();
            foreach (var partition in reader.PartitionsOf(Topics.Lasting))
                ends[(partition.Topic.Name, partition.Partition)] = partition.End;
            var seconds = 0.0;
            for (var i = 0; i < 2; i++)
            {
                var (watch, events) = (Stopwatch.StartNew(), 0);
                await foreach (var batch in FeedRecords.ReadUpToAsync(reader, [], ends, FeedRecords.FirstOf(reader), TimeSpan.FromSeconds(10), waitsForDamage: false, cancellationToken))
                    events += batch.Count(record => record.Event is not null);
                seconds = watch.Elapsed.TotalSeconds;
                if (events < Events)
                    throw new InvalidOperationException($"Only {events} of {Events} events were read");
            }
            return Events / seconds;
        }
        finally
        {
            await host.EndAsync();
        }
    }
}
