using Npgsql;
using Shop.Testing;

namespace Shop.Messaging.Tests.Hosting;

/// <summary>
/// Stops whoever is about to run a statement on a table, inside the database: so a test can kill, cut or overtake a service at
/// exactly that point, and the service needs no hook for it. A trigger waits for an advisory lock that the test holds.
/// </summary>
public sealed class DatabaseHold : IAsyncDisposable
{
    private const long Key = 0x686f6c64;

    private static readonly string Held =
        $"FROM pg_locks WHERE locktype = 'advisory' AND objid = {Key} AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

    private readonly NpgsqlDataSource _dataSource;
    private readonly NpgsqlConnection _holder;

    private DatabaseHold(NpgsqlDataSource dataSource, NpgsqlConnection holder)
    {
        _dataSource = dataSource;
        _holder = holder;
    }

    /// <summary>Holds everyone before <paramref name="statement"/> (INSERT, UPDATE, DELETE) on <paramref name="table"/> from now on.</summary>
    public static async Task<DatabaseHold> BeforeAsync(string database, string statement, string table)
    {
        var dataSource = NpgsqlDataSource.Create(database);
        var holder = await dataSource.OpenConnectionAsync();
        var hold = new DatabaseHold(dataSource, holder);
        await hold.ExecuteAsync($"""
            SELECT pg_advisory_lock({Key});
            CREATE OR REPLACE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock_shared({Key}); RETURN NULL; END';
            CREATE OR REPLACE TRIGGER hold BEFORE {statement} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION hold();
            """);
        return hold;
    }

    /// <summary>Returns when somebody is held.</summary>
    public Task ReachedAsync() => Eventually.BecomesTrueAsync(async () => await HeldAsync() > 0);

    /// <summary>Returns when so many are held.</summary>
    public Task OthersReachAsync(int count) => Eventually.BecomesTrueAsync(async () => await HeldAsync() >= count);

    /// <summary>Returns when a statement with that text waits for the locks of those that are held.</summary>
    public Task OthersWaitAsync(string statement) => Eventually.BecomesTrueAsync(async () => await ScalarAsync($"""
        SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event <> 'advisory' AND query LIKE '%{statement}%' AND datname = current_database()
        """) > 0);

    /// <summary>Ends the sessions of those that are held, as PostgreSQL itself does when it notices that a client has died.</summary>
    public Task TerminateHeldAsync() => ExecuteAsync($"SELECT pg_terminate_backend(pid) {Held}");

    /// <summary>Lets everyone go on; whoever comes later is not held.</summary>
    public Task ReleaseAsync() => ExecuteAsync($"SELECT pg_advisory_unlock({Key})");

    public async ValueTask DisposeAsync()
    {
        await _holder.DisposeAsync();
        await _dataSource.DisposeAsync();
    }

    private Task<long> HeldAsync() => ScalarAsync($"SELECT count(*) {Held}");

    private async Task<long> ScalarAsync(string sql)
    {
        await using var command = _dataSource.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, _holder);
        await command.ExecuteNonQueryAsync();
    }
}
