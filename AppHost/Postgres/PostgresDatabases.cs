using System.Text.RegularExpressions;
using Npgsql;

namespace Shop.AppHost.Postgres;

/// <summary>Makes databases, each with a role of its own.</summary>
internal static partial class PostgresDatabases
{
    /// <summary>
    /// Creates a database and a role of the same name that owns it, where they are not there yet, sets the role's password,
    /// and keeps every other role out of the database.
    /// </summary>
    /// <param name="server">The connection string of a role that may do so.</param>
    /// <param name="name">The database's name.</param>
    /// <param name="password">The role's password.</param>
    /// <param name="replication">Whether the role may read the write-ahead log; where the server's role may not allow it, its service says so.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">The name has other characters than a-z, 0-9 and _, or more than 63.</exception>
    public static async Task CreateAsync(string server, string name, string password, bool replication, CancellationToken cancellationToken)
    {
        if (!DatabaseName().IsMatch(name)) throw new ArgumentException($"'{name}' is no database name: a-z, 0-9 and _, at most 63 characters.", nameof(name));
        await using var connection = await OpenAsync(server, cancellationToken);
        if (!await ExistsAsync("SELECT FROM pg_roles WHERE rolname = $1")) await ExecuteAsync($"CREATE ROLE {name} LOGIN");
        await ExecuteAsync($"ALTER ROLE {name} PASSWORD '{password.Replace("'", "''")}'");
        if (!await ExistsAsync("SELECT FROM pg_database WHERE datname = $1"))
        {
            await ExecuteAsync($"GRANT {name} TO CURRENT_USER"); // a role that is no superuser makes databases only for roles it is a member of
            await ExecuteAsync($"CREATE DATABASE {name} OWNER {name}");
        }
        if (replication) await AllowReplicationAsync();
        await ExecuteAsync($"REVOKE ALL ON DATABASE {name} FROM PUBLIC");

        async Task<bool> ExistsAsync(string query)
        {
            await using var command = new NpgsqlCommand(query, connection) { Parameters = { new() { Value = name } } };
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            return reader.HasRows;
        }

        async Task AllowReplicationAsync()
        {
            try
            {
                await ExecuteAsync($"ALTER ROLE {name} REPLICATION");
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege) { }
        }

        async Task ExecuteAsync(string statement)
        {
            await using var command = new NpgsqlCommand(statement, connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <summary>Opens a connection that nobody shares.</summary>
    public static async Task<NpgsqlConnection> OpenAsync(string connectionString, CancellationToken cancellationToken)
    {
        var server = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, Timeout = 5 };
        server.Database ??= "postgres"; // else Npgsql takes the role's name, and an administrator need not have a database
        var connection = new NpgsqlConnection(server.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    [GeneratedRegex("^[a-z][a-z0-9_]{0,62}$")]
    private static partial Regex DatabaseName();
}
