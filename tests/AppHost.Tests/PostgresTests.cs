using System.Diagnostics;
using Npgsql;
using Shop.Testing;

namespace Shop.AppHost.Tests;

public sealed class PostgresTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("shop-postgres-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Each_role_owns_its_database_and_can_open_no_other()
    {
        await using var cluster = await PostgresCluster.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        var orders = await cluster.CreateDatabaseAsync("orders", TestContext.Current.CancellationToken);
        await cluster.CreateDatabaseAsync("inventory", TestContext.Current.CancellationToken);

        Assert.Equal("1", await QueryAsync(orders, "CREATE TABLE t (n int); INSERT INTO t VALUES (1); SELECT n::text FROM t"));
        foreach (var other in (string[])["inventory", "postgres", "template1"])
            await Assert.ThrowsAsync<PostgresException>(() => QueryAsync(orders.Replace("Database=orders", $"Database={other}", StringComparison.Ordinal), "SELECT '1'"));
        Assert.Equal("on|logical|on", await QueryAsync(cluster.AdminConnectionString,
            "SELECT current_setting('fsync') || '|' || current_setting('wal_level') || '|' || current_setting('synchronous_commit')"));
    }

    [Fact]
    public async Task A_role_that_may_make_databases_and_roles_is_enough_to_make_them()
    {
        await using var cluster = await PostgresCluster.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        var maker = new NpgsqlConnectionStringBuilder(await cluster.CreateDatabaseAsync("maker", TestContext.Current.CancellationToken));
        await QueryAsync(cluster.AdminConnectionString, "ALTER ROLE maker CREATEDB CREATEROLE; SELECT ''");

        await Postgres.PostgresDatabases.CreateAsync(maker.ConnectionString, "orders", "p", replication: true, TestContext.Current.CancellationToken);

        maker.Username = maker.Database = "orders";
        maker.Password = "p";
        Assert.Equal("orders", await QueryAsync(maker.ConnectionString, "SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = current_database()"));
    }

    [Fact]
    public async Task A_killed_server_starts_again_with_everything_committed()
    {
        var data = Path.Combine(_directory.FullName, "cluster"); // as root this is below a directory that PostgreSQL's user could not enter by its path
        File.SetUnixFileMode(_directory.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await using (var first = await PostgresCluster.StartAsync(data, TestContext.Current.CancellationToken))
        {
            await QueryAsync(await first.CreateDatabaseAsync("orders", TestContext.Current.CancellationToken), "CREATE TABLE t (n int); INSERT INTO t VALUES (7); SELECT ''");
            using var server = Process.GetProcessById(first.ProcessId);
            server.Kill();
        }

        await using var second = await PostgresCluster.StartAsync(data, TestContext.Current.CancellationToken);

        Assert.Equal("7", await QueryAsync(await second.CreateDatabaseAsync("orders", TestContext.Current.CancellationToken), "SELECT n::text FROM t"));
    }

    [Fact]
    public async Task A_stale_pid_file_with_the_id_of_a_stranger_does_not_keep_it_from_starting()
    {
        var data = Path.Combine(_directory.FullName, "cluster");
        await using (await PostgresCluster.StartAsync(data, TestContext.Current.CancellationToken)) { }
        await File.WriteAllTextAsync(Path.Combine(data, "data", "postmaster.pid"), $"{Environment.ProcessId}\n/somewhere\n0\n1\n\n\n\n", TestContext.Current.CancellationToken);

        await using var cluster = await PostgresCluster.StartAsync(data, TestContext.Current.CancellationToken);

        Assert.Equal("1", await QueryAsync(cluster.AdminConnectionString, "SELECT '1'"));
    }

    [Theory]
    [InlineData("Robert'); DROP TABLE students; --"), InlineData("Orders"), InlineData("")]
    public async Task A_name_that_would_need_quotes_is_refused(string name) =>
        await Assert.ThrowsAsync<ArgumentException>(() => Postgres.PostgresDatabases.CreateAsync("Host=127.0.0.1;Port=1", name, "p", replication: false, TestContext.Current.CancellationToken));

    private static async Task<string?> QueryAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return (string?)await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }
}
