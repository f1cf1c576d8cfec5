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
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">The name has other characters than a-z, 0-9 and _, or more than 63.</exception>
    public static async Task CreateAsync(string server, string name, string password, CancellationToken cancellationToken)
    {
        if (!DatabaseName().IsMatch(name)) throw new ArgumentException($"'{name}' is no database name: a-z, 0-9 and _, at most 63 characters.", nameof(name));
        await using var connection = await OpenAsync(server, cancellationToken);
        await ExecuteAsync($"CREATE ROLE {name} LOGIN", PostgresErrorCodes.DuplicateObject);
        await ExecuteAsync($"ALTER ROLE {name} PASSWORD '{password.Replace("'", "''")}'");
        await ExecuteAsync($"CREATE DATABASE {name} OWNER {name}", PostgresErrorCodes.DuplicateDatabase);
        await ExecuteAsync($"REVOKE ALL ON DATABASE {name} FROM PUBLIC");

        async Task ExecuteAsync(string statement, string? ignored = null)
        {
            try
            {
                await using var command = new NpgsqlCommand(statement, connection);
                await command.ExecuteNonQueryAsync(cancellationToken);
            }
            catch (PostgresException e) when (e.SqlState == ignored) { }
        }
    }

    /// <summary>Opens a connection that nobody shares.</summary>
    public static async Task<NpgsqlConnection> OpenAsync(string connectionString, CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, Timeout = 5 }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    [GeneratedRegex("^[a-z][a-z0-9_]{0,62}$")]
    private static partial Regex DatabaseName();
}
