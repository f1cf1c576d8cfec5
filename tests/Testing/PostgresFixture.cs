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
    public async ValueTask InitializeAsync() => _cluster = await PostgresCluster.StartAsync();

    /// <summary>Makes an empty database with a role of its own.</summary>
    /// <returns>Its connection string.</returns>
    public Task<string> CreateDatabaseAsync() => Cluster.CreateDatabaseAsync($"test_{Interlocked.Increment(ref _databases)}");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
            await _cluster.DisposeAsync();
    }
}
