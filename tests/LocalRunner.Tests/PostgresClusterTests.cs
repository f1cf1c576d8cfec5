using System.Data.Common;
using Shop.LocalRunner.Postgres;
using Shop.LocalRunner.Processes;

namespace Shop.LocalRunner.Tests;

public sealed class PostgresClusterTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Each_role_owns_its_database_and_can_open_no_other()
    {
        await using var cluster = await PostgresCluster.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        var orders = await cluster.CreateDatabaseAsync("orders", TestContext.Current.CancellationToken);
        await cluster.CreateDatabaseAsync("inventory", TestContext.Current.CancellationToken);

        Assert.Equal("1", await QueryAsync(orders, "CREATE TABLE t (n int); INSERT INTO t VALUES (1); SELECT n FROM t"));
        foreach (var other in new[] { "inventory", "postgres", "template1" })
        {
            var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => QueryAsync(orders.Replace("Database=orders", $"Database={other}", StringComparison.Ordinal), "SELECT 1"));
            Assert.Contains("FATAL", refused.Message);
        }
        Assert.Equal("on|logical|on", await QueryAsync(cluster.AdminConnectionString,
            "SELECT current_setting('fsync') || '|' || current_setting('wal_level') || '|' || current_setting('synchronous_commit')"));
    }

    [Fact]
    public async Task A_killed_postmaster_starts_again_with_everything_committed()
    {
        var data = _directory.File("cluster"); // as root this is below a directory that PostgreSQL's user could not enter by its path
        File.SetUnixFileMode(_directory.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await using (var first = await PostgresCluster.StartAsync(data, cancellationToken: TestContext.Current.CancellationToken))
        {
            await QueryAsync(await first.CreateDatabaseAsync("orders", TestContext.Current.CancellationToken), "CREATE TABLE t (n int); INSERT INTO t VALUES (7)");
            Signals.Send(first.ProcessId, Signals.Kill);
        }

        await using var second = await PostgresCluster.StartAsync(data, cancellationToken: TestContext.Current.CancellationToken);

        var orders = await second.CreateDatabaseAsync("orders", TestContext.Current.CancellationToken);
        Assert.Equal("7", await QueryAsync(orders, "SELECT n FROM t"));
    }

    [Fact]
    public async Task A_stale_pid_file_with_the_id_of_a_stranger_does_not_keep_it_from_starting()
    {
        var data = _directory.File("cluster");
        await using (await PostgresCluster.StartAsync(data, cancellationToken: TestContext.Current.CancellationToken)) { }
        await File.WriteAllTextAsync(Path.Combine(data, "data", "postmaster.pid"), $"{Environment.ProcessId}\n/somewhere\n0\n1\n\n\n\n", TestContext.Current.CancellationToken);

        await using var cluster = await PostgresCluster.StartAsync(data, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal("1", await QueryAsync(cluster.AdminConnectionString, "SELECT 1"));
    }

    [Theory]
    [InlineData("Robert'); DROP TABLE students; --"), InlineData("Orders"), InlineData("")]
    public async Task A_name_that_would_need_quotes_is_refused(string name)
    {
        var server = new PostgresServer("127.0.0.1", 1, "postgres", "");

        await Assert.ThrowsAsync<ArgumentException>(() => server.CreateDatabasesAsync([(name, "p")], _directory.Path, TestContext.Current.CancellationToken));
    }

    private Task<string> QueryAsync(string connectionString, string sql)
    {
        var settings = new DbConnectionStringBuilder { ConnectionString = connectionString };
        var psql = new ProcessSpec("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", (string)settings["Port"], "-U", (string)settings["Username"], "-d", (string)settings["Database"])
        {
            Environment = new Dictionary<string, string?> { ["PGPASSWORD"] = (string)settings["Password"] },
        };
        return ChildProcess.RunAsync(psql, _directory.Path, sql, TestContext.Current.CancellationToken);
    }
}
