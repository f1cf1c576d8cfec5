using Npgsql;
using Xunit;

namespace Shop.Testing;

/// <summary>A private PostgreSQL cluster for a test process: use it as an assembly fixture, and take a database of its own for each test.</summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private PostgresCluster? _cluster;
    private int _databases;

    /// <summary>The running cluster.</summary>
    public PostgresCluster Cluster => _cluster ?? throw new InvalidOperationException("The fixture has not been initialised");

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _cluster = await PostgresCluster.StartAsync();
        await ForgoDurabilityAsync(_cluster.AdminConnectionString);
    }

    /// <summary>Makes an empty database with a role of its own.</summary>
    /// <returns>Its connection string.</returns>
    public Task<string> CreateDatabaseAsync() => Cluster.CreateDatabaseAsync($"test_{Interlocked.Increment(ref _databases)}");

    /// <summary>
    /// Tests kill processes, and what a process has written survives it without fsync: that is for machines that lose power. So they need not
    /// wait for the disk, which is slow where several test processes share it.
    /// </summary>
    private static async Task ForgoDurabilityAsync(string adminConnectionString)
    {
        await using var admin = NpgsqlDataSource.Create(adminConnectionString);
        // one at a time: ALTER SYSTEM refuses to be a part of anything larger
        foreach (var statement in (string[])["ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()"])
        {
            await using var command = admin.CreateCommand(statement);
            await command.ExecuteNonQueryAsync();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
            await _cluster.DisposeAsync();
    }
}
