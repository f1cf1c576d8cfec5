using System.Buffers.Binary;
using System.Data.Common;
using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Shop.LocalRunner.Processes;

namespace Shop.LocalRunner.Postgres;

/// <summary>A PostgreSQL server and a role that may create databases and roles there.</summary>
/// <param name="Host">Its host name or address.</param>
/// <param name="Port">Its TCP port.</param>
/// <param name="User">The role.</param>
/// <param name="Password">The role's password.</param>
internal sealed partial record PostgresServer(string Host, int Port, string User, string Password)
{
    private const int ProtocolVersion3 = 196_608;

    /// <summary>Reads a connection string in Npgsql's form: <c>Host=...;Port=...;Username=...;Password=...</c>.</summary>
    /// <exception cref="ArgumentException">It is not of that form, or has no host or user name.</exception>
    public static PostgresServer Parse(string connectionString)
    {
        var settings = new DbConnectionStringBuilder { ConnectionString = connectionString };
        var host = Setting("Host", "Server") ?? throw new ArgumentException("ConnectionStrings__postgres has no Host.");
        var user = Setting("Username", "User Id", "User") ?? throw new ArgumentException("ConnectionStrings__postgres has no Username.");
        return new(host, int.Parse(Setting("Port") ?? "5432", CultureInfo.InvariantCulture), user, Setting("Password") ?? "");

        string? Setting(params string[] names) =>
            names.Select(name => settings.TryGetValue(name, out var value) ? value.ToString() : null).FirstOrDefault(value => value is not null);
    }

    /// <summary>A password for <see cref="CreateDatabasesAsync"/>: 24 random bytes in hexadecimal digits.</summary>
    public static string NewPassword() => RandomNumberGenerator.GetHexString(48, lowercase: true);

    /// <summary>The connection string of a database for the role of the same name.</summary>
    public string ConnectionString(string database, string password) =>
        // a pool of Npgsql's own size (100) in two busy instances would take every connection that the server has
        $"Host={Host};Port={Port};Username={database};Password={password};Database={database};Maximum Pool Size=20";

    /// <summary>
    /// Whether the server takes connections: it answers a StartupMessage with a request to authenticate, and not with the
    /// error that it is still starting (PostgreSQL documentation, Frontend/Backend Protocol, Message Formats).
    /// </summary>
    public async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var client = new TcpClient { NoDelay = true };
            await client.ConnectAsync(Host, Port, cancellationToken);
            var parameters = Encoding.ASCII.GetBytes($"user\0{User}\0database\0postgres\0\0");
            var message = new byte[8 + parameters.Length];
            BinaryPrimitives.WriteInt32BigEndian(message, message.Length);
            BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(4), ProtocolVersion3);
            parameters.CopyTo(message, 8);
            var stream = client.GetStream();
            await stream.WriteAsync(message, cancellationToken);
            var answer = new byte[1];
            return await stream.ReadAsync(answer, cancellationToken) == 1 && answer[0] == 'R';
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }

    /// <summary>
    /// Creates a database and a role of the same name that owns it, where they are not there yet, sets the role's password,
    /// and keeps every other role out of the database.
    /// </summary>
    /// <param name="databases">Name and password of each.</param>
    /// <param name="owner">Who stops psql when the runner dies.</param>
    /// <param name="cancellationToken">Kills psql.</param>
    /// <exception cref="ArgumentException">A name has other characters than a-z, 0-9 and _, or more than 63.</exception>
    /// <exception cref="InvalidOperationException">psql is not there or failed; the message has its output.</exception>
    public async Task CreateDatabasesAsync(IEnumerable<(string Name, string Password)> databases, string owner, CancellationToken cancellationToken)
    {
        var script = new StringBuilder();
        foreach (var (name, password) in databases)
        {
            if (!DatabaseName().IsMatch(name)) throw new ArgumentException($"'{name}' is no database name: a-z, 0-9 and _, at most 63 characters.", nameof(databases));
            script.AppendLine(CultureInfo.InvariantCulture, $"""
                SELECT 'CREATE ROLE {name} LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') \gexec
                ALTER ROLE {name} PASSWORD '{password.Replace("'", "''")}';
                SELECT 'CREATE DATABASE {name} OWNER {name}' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}') \gexec
                REVOKE ALL ON DATABASE {name} FROM PUBLIC;
                """);
        }

        var psql = Programs.Find("psql") ?? Path.Combine(PostgresPrograms.Find(), "psql");
        var spec = new ProcessSpec(psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", Host, "-p", Port.ToString(CultureInfo.InvariantCulture), "-U", User, "-d", "postgres")
        {
            Environment = new Dictionary<string, string?> { ["PGPASSWORD"] = Password },
        };
        await ChildProcess.RunAsync(spec, owner, script.ToString(), cancellationToken);
    }

    [GeneratedRegex("^[a-z][a-z0-9_]{0,62}$")]
    private static partial Regex DatabaseName();
}
