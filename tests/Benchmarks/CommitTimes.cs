using Npgsql;
using Shop.Testing;

namespace Shop.Benchmarks;

/// <summary>A server that remembers when each transaction was durable, by its own clock, which is this machine's: <c>pg_xact_commit_timestamp(xmin)</c>.</summary>
internal static class CommitTimes
{
    /// <summary>Starts one in a directory of its own.</summary>
    public static async Task<PostgresCluster> StartPostgresAsync(string directory, CancellationToken cancellationToken)
    {
        await using (var first = await PostgresCluster.StartAsync(directory, cancellationToken))
        {
            await using var admin = NpgsqlDataSource.Create(first.AdminConnectionString);
            await using var command = admin.CreateCommand("ALTER SYSTEM SET track_commit_timestamp = on");
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        return await PostgresCluster.StartAsync(directory, cancellationToken);
    }
}
