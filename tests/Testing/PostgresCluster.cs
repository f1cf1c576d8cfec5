using System.Security.Cryptography;
using Npgsql;
using Shop.AppHost.Postgres;
using Shop.AppHost.Running;
using Shop.Testing.Processes;

namespace Shop.Testing;

/// <summary>
/// A private PostgreSQL cluster that runs as long as this object lives, and no longer than its process even when that is
/// killed: for tests, several side by side. It is as durable as the shop's, whose cluster it is (fsync on).
/// </summary>
public sealed class PostgresCluster : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromMinutes(5);
    private readonly AppHost.Postgres.PostgresCluster _cluster;
    private readonly ChildProcess _process;
    private readonly ProcessGuard _guard;

    private PostgresCluster(AppHost.Postgres.PostgresCluster cluster, int port, ChildProcess process, ProcessGuard guard)
    {
        _cluster = cluster;
        Port = port;
        _process = process;
        _guard = guard;
    }

    /// <summary>The port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>The postmaster's process id.</summary>
    public int ProcessId => _cluster.ProcessId ?? throw new InvalidOperationException("The server does not run");

    /// <summary>A connection string (Npgsql) of the superuser, to the database <c>postgres</c>.</summary>
    public string AdminConnectionString => Admin(_cluster, Port);

    /// <summary>Starts a cluster and returns when it takes connections.</summary>
    /// <param name="directory">Where it is kept, made when it is not there, its port another one every time; null for a temporary one, removed at the end.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <exception cref="InvalidOperationException">PostgreSQL is not installed or does not start; the message has the server's last log lines.</exception>
    public static async Task<PostgresCluster> StartAsync(string? directory = null, CancellationToken cancellationToken = default)
    {
        var path = Path.GetFullPath(directory ?? Path.Combine(Path.GetTempPath(), $"shop-postgres-{Guid.CreateVersion7():N}"));
        if (directory is not null) await ProcessGuard.StopLeftoversAsync(path, cancellationToken);
        var guard = ProcessGuard.Start(path, directory is null ? path : null);
        try
        {
            var cluster = new AppHost.Postgres.PostgresCluster(PostgresPrograms.Find() ?? throw new InvalidOperationException(PostgresPrograms.Missing), path);
            await cluster.InitializeAsync(durable: directory is not null, cancellationToken);
            var port = Ports.Free();
            return new(cluster, port, await StartServerAsync(cluster, port, path, cancellationToken), guard);
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
        var password = RandomNumberGenerator.GetHexString(48, lowercase: true);
        await PostgresDatabases.CreateAsync(AdminConnectionString, name, password, replication: true, cancellationToken);
        return $"Host=127.0.0.1;Port={Port};Username={name};Password={password};Database={name};Maximum Pool Size=20";
    }

    /// <summary>Stops the server, and removes its directory if it was temporary.</summary>
    public async ValueTask DisposeAsync()
    {
        await _process.StopAsync(TimeSpan.FromSeconds(5));
        await _process.DisposeAsync();
        await _guard.DisposeAsync();
    }

    private static string Admin(AppHost.Postgres.PostgresCluster cluster, int port) =>
        $"Host=127.0.0.1;Port={port};Username=postgres;Password={cluster.Password};Database=postgres";

    private static async Task<ChildProcess> StartServerAsync(AppHost.Postgres.PostgresCluster cluster, int port, string owner, CancellationToken cancellationToken)
    {
        var tail = new LogTail(20);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(StartDeadline);
        var process = ChildProcess.Start(new("/bin/sh", [.. cluster.Run, $"{port}"]), owner, tail.Add);
        try
        {
            while (!process.Exited.IsCompleted)
            {
                try
                {
                    await using var connection = await PostgresDatabases.OpenAsync(Admin(cluster, port), deadline.Token);
                    return process;
                }
                catch (NpgsqlException)
                {
                    await Task.WhenAny(process.Exited, Task.Delay(50, deadline.Token));
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested) { }

        await process.DisposeAsync();
        cancellationToken.ThrowIfCancellationRequested();
        throw new InvalidOperationException($"PostgreSQL did not start:\n{tail}");
    }
}
