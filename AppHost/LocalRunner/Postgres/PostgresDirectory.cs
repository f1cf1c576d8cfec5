using System.Security.Cryptography;
using Shop.LocalRunner.Processes;

namespace Shop.LocalRunner.Postgres;

/// <summary>
/// A private PostgreSQL cluster's directory: <c>data</c>, which initdb makes, and <c>superuser-password</c>, for its owner
/// only. PostgreSQL refuses to run as root, so for root it runs as the user <c>postgres</c>, or
/// <c>nobody</c> where there is none. That user need not be able to reach the directory, which may lie below /root: a shell opens
/// it as root, and PostgreSQL gets to it by the open file descriptor, as /proc/self/fd/9.
/// </summary>
internal sealed class PostgresDirectory
{
    private const string InitDb = """
        set -eu
        rm -rf "$1/data.new"
        mkdir -m 700 "$1/data.new"
        exec 9<"$1/data.new" 8<"$1/superuser-password"
        if [ "$(id -u)" = 0 ]; then
            chown "$3:" "$1/data.new" "$1/superuser-password"
            cd /
            setpriv --reuid="$3" --regid="$(id -g "$3")" --clear-groups -- "$2/initdb" -D /proc/self/fd/9 --pwfile=/proc/self/fd/8 \
                -U postgres -A scram-sha-256 -E UTF8 --no-locale --no-instructions $4
        else
            "$2/initdb" -D "$1/data.new" --pwfile="$1/superuser-password" -U postgres -A scram-sha-256 -E UTF8 --no-locale --no-instructions $4
        fi
        mv "$1/data.new" "$1/data"
        """;

    private const string Postgres = """
        if [ "$(id -u)" = 0 ]; then
            exec 9<"$1/data"
            cd /
            exec setpriv --reuid="$3" --regid="$(id -g "$3")" --clear-groups -- "$2/postgres" -D /proc/self/fd/9
        fi
        exec "$2/postgres" -D "$1/data"
        """;

    private readonly string _directory;
    private readonly string _programs;
    private readonly string _user = AccountExists("postgres") ? "postgres" : "nobody";

    private PostgresDirectory(string directory, string programs)
    {
        _directory = directory;
        _programs = programs;
    }

    /// <summary>The port on 127.0.0.1.</summary>
    public int Port { get; private set; }

    /// <summary>The password of the superuser <c>postgres</c>.</summary>
    public string Password { get; private set; } = "";

    private string Data => Path.Combine(_directory, "data");

    /// <summary>Makes the cluster where there is none yet; for a server that does not run.</summary>
    /// <param name="directory">The directory's absolute path.</param>
    /// <param name="owner">Who stops initdb when the runner dies.</param>
    /// <param name="port">The port it shall listen on.</param>
    /// <param name="durable">False to skip initdb's own fsync, for a cluster that is thrown away.</param>
    /// <param name="cancellationToken">Kills initdb.</param>
    /// <exception cref="InvalidOperationException">PostgreSQL is not installed, or initdb failed; the message has its output.</exception>
    public static async Task<PostgresDirectory> PrepareAsync(string directory, string owner, int port, bool durable, CancellationToken cancellationToken)
    {
        var cluster = new PostgresDirectory(directory, PostgresPrograms.Find());
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        cluster.ReadOrWritePassword();
        if (!Directory.Exists(cluster.Data))
        {
            var initDb = new ProcessSpec("/bin/sh", "-c", InitDb, "initdb", directory, cluster._programs, cluster._user, durable ? "" : "--no-sync");
            await ChildProcess.RunAsync(initDb, owner, null, cancellationToken);
        }

        cluster.Configure(port);
        return cluster;
    }

    /// <summary>The server's program. Removes a postmaster.pid that a killed server has left, see below.</summary>
    public ProcessSpec Server()
    {
        RemoveStalePidFile();
        return new ProcessSpec("/bin/sh", "-c", Postgres, "postgres", _directory, _programs, _user) { StopSignal = Signals.Interrupt };
    }

    private void ReadOrWritePassword()
    {
        var file = Path.Combine(_directory, "superuser-password");
        if (!File.Exists(file))
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
            using var writer = new StreamWriter(file, options);
            writer.Write(RandomNumberGenerator.GetHexString(48, lowercase: true));
        }

        Password = File.ReadAllText(file);
    }

    /// <summary>
    /// Writes the configuration, for the server's next start. wal_level=logical is for change data capture: the role that does it needs REPLICATION later. That
    /// lets it open no other service's database: pg_hba.conf has no line for physical replication, and a logical slot belongs
    /// to the database it was made in, which <c>sameuser</c> confines to the role's own.
    /// </summary>
    public void Configure(int port)
    {
        Port = port;
        File.WriteAllText(Path.Combine(Data, "postgresql.conf"), $"""
            # written by Shop's LocalRunner at every start
            listen_addresses = '127.0.0.1'
            port = {port}
            unix_socket_directories = ''
            max_connections = 200
            fsync = on
            wal_level = logical
            max_wal_size = 1GB
            shared_buffers = 64MB
            jit = off
            timezone = 'UTC'
            log_timezone = 'UTC'
            log_line_prefix = ''
            log_checkpoints = off
            log_min_messages = warning

            """);
        File.WriteAllText(Path.Combine(Data, "pg_hba.conf"), """
            # database and role of a service have the same name; no line for physical replication
            host all      postgres 127.0.0.1/32 scram-sha-256
            host sameuser all      127.0.0.1/32 scram-sha-256

            """);
    }

    /// <summary>
    /// A server that was killed leaves postmaster.pid. PostgreSQL sees for itself when the process is gone, but takes a zombie, or a
    /// stranger who got the id since, for a running server and then never starts. Only a process inside the data directory is one.
    /// </summary>
    private void RemoveStalePidFile()
    {
        var file = Path.Combine(Data, "postmaster.pid");
        if (!Directory.Exists("/proc/self") || !File.Exists(file)) return;
        if (int.TryParse(File.ReadLines(file).FirstOrDefault(), out var pid) && WorkingDirectory(pid) == Data) return;
        File.Delete(file);
    }

    private static string? WorkingDirectory(int pid)
    {
        try
        {
            return File.ResolveLinkTarget($"/proc/{pid}/cwd", returnFinalTarget: false)?.FullName;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool AccountExists(string name) =>
        File.Exists("/etc/passwd") && File.ReadLines("/etc/passwd").Any(line => line.StartsWith(name + ":", StringComparison.Ordinal));
}
