using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Shop.Benchmarks.Broker;
using Shop.Testing;

namespace Shop.Benchmarks.Messaging;

/// <summary>CPU time of everything that shares the cores with the service: unlike the clock, it hardly depends on what else runs on the machine.</summary>
/// <param name="Service">This process: the service and what measures it.</param>
/// <param name="Postgres">All of the server's processes that are there now.</param>
/// <param name="Broker">The broker.</param>
internal readonly record struct CpuTimes(TimeSpan Service, TimeSpan Postgres, TimeSpan Broker)
{
    public static CpuTimes operator -(CpuTimes left, CpuTimes right) =>
        new(left.Service - right.Service, left.Postgres - right.Postgres, left.Broker - right.Broker);

    /// <summary>The CPU times up to now.</summary>
    public static async Task<CpuTimes> NowAsync(PostgresCluster postgres, EmbeddedKafkaProcess broker, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(postgres.AdminConnectionString);
        await connection.OpenAsync(cancellationToken);
        // background processes are in it too
        await using var command = new NpgsqlCommand("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()", connection);
        var server = TimeSpan.Zero;
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
                server += Of(reader.GetInt32(0));
        }
        return new(Of(Environment.ProcessId), server, Of(broker.ProcessId));
    }

    /// <summary>Microseconds a row, for people.</summary>
    public string PerRow(int rows) => string.Create(CultureInfo.InvariantCulture,
        $"service {Service.TotalMicroseconds / rows:0.0}, PostgreSQL {Postgres.TotalMicroseconds / rows:0.0}, broker {Broker.TotalMicroseconds / rows:0.0} us of CPU time");

    private static TimeSpan Of(int process)
    {
        try
        {
            using var running = Process.GetProcessById(process);
            return running.TotalProcessorTime;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            // it ended meanwhile
            return TimeSpan.Zero;
        }
    }
}
