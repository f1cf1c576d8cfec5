using System.Diagnostics;
using Shop.LocalRunner.Processes;

namespace Shop.LocalRunner.Postgres;

/// <summary>
/// A private PostgreSQL cluster that runs as long as this object lives, and no longer than its process even when that is
/// killed: for tests, several side by side. It is as durable as the shop's (fsync on).
/// </summary>
public sealed class PostgresCluster : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);
    private readonly PostgresServer _server;
    private readonly ChildProcess _process;
    private readonly ProcessGuard _guard;
    private readonly string _directory;

    private PostgresCluster(PostgresServer server, ChildProcess process, ProcessGuard guard, string directory)
    {
        _server = server;
        _process = process;
        _guard = guard;
        _directory = directory;
    }

    /// <summary>The port on 127.0.0.1.</summary>
    public int Port => _server.Port;

    /// <summary>The postmaster's process id.</summary>
    public int ProcessId => _process.Id;

    /// <summary>A connection string (Npgsql) of the superuser, to the database <c>postgres</c>.</summary>
    public string AdminConnectionString => _server.ConnectionString("postgres", _server.Password);

    /// <summary>Starts a cluster and returns when it takes connections.</summary>
    /// <param name="directory">Where it is kept, made when it is not there, its port another one every time; null for a temporary one, removed at the end.</param>
    /// <param name="onLine">Called with each line of the server's log.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <exception cref="InvalidOperationException">PostgreSQL is not installed or does not start; the message has the server's last log lines.</exception>
    public static async Task<PostgresCluster> StartAsync(
        string? directory = null, Action<string>? onLine = null, CancellationToken cancellationToken = default)
    {
        var temporary = directory is null;
        var path = Path.GetFullPath(directory ?? Path.Combine(Path.GetTempPath(), $"shop-postgres-{Guid.CreateVersion7():N}"));
        if (!temporary) await ProcessGuard.StopLeftoversAsync(path, cancellationToken);
        var guard = ProcessGuard.Start(path, temporary ? path : null);
        try
        {
            var cluster = await PostgresDirectory.PrepareAsync(path, path, Ports.Free(), durable: !temporary, cancellationToken);
            var (process, server) = await StartServerAsync(cluster, path, onLine ?? (_ => { }), cancellationToken);
            return new PostgresCluster(server, process, guard, path);
        }
        catch
        {
            await guard.DisposeAsync();
            throw;
        }
    }

    /// <summary>Creates a database and a role of the same name that owns it and is the only one that may open it.</summary>
    /// <param name="name">Its name: a-z, 0-9 and _, at most 63 characters.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The role's connection string (Npgsql).</returns>
    /// <exception cref="ArgumentException">The name has other characters.</exception>
    public async Task<string> CreateDatabaseAsync(string name, CancellationToken cancellationToken = default)
    {
        var password = PostgresServer.NewPassword();
        await _server.CreateDatabasesAsync([(name, password)], _directory, cancellationToken);
        return _server.ConnectionString(name, password);
    }

    /// <summary>Stops the server, and removes its directory if it was temporary.</summary>
    public async ValueTask DisposeAsync()
    {
        await _process.StopAsync(TimeSpan.FromSeconds(5));
        await _process.DisposeAsync();
        await _guard.DisposeAsync();
    }

    private static async Task<(ChildProcess, PostgresServer)> StartServerAsync(
        PostgresDirectory cluster, string owner, Action<string> onLine, CancellationToken cancellationToken)
    {
        var started = Stopwatch.StartNew();
        while (true)
        {
            var tail = new LogTail(20);
            var process = ChildProcess.Start(cluster.Server(), owner, line => { tail.Add(line); onLine(line); });
            var server = new PostgresServer("127.0.0.1", cluster.Port, "postgres", cluster.Password);
            while (!process.Exited.IsCompleted && started.Elapsed < StartDeadline)
            {
                if (await server.IsReadyAsync(cancellationToken) && !process.Exited.IsCompleted) return (process, server);
                await Task.WhenAny(process.Exited, Task.Delay(20, cancellationToken));
                if (cancellationToken.IsCancellationRequested) await process.DisposeAsync();
                cancellationToken.ThrowIfCancellationRequested();
            }

            await process.DisposeAsync();
            if (started.Elapsed >= StartDeadline) throw new InvalidOperationException($"PostgreSQL did not start:\n{tail}");
            // somebody was quicker to the port; else a killed predecessor's processes still hold its shared memory for a moment
            if (!Ports.IsFree(cluster.Port)) cluster.Configure(Ports.Free());
            else if (!tail.ToString().Contains("shared memory", StringComparison.Ordinal) && started.Elapsed > TimeSpan.FromSeconds(5))
                throw new InvalidOperationException($"PostgreSQL did not start:\n{tail}");
            await Task.Delay(200, cancellationToken);
        }
    }
}
