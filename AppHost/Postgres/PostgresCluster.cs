using Shop.AppHost.Running;

namespace Shop.AppHost.Postgres;

/// <summary>
/// A private PostgreSQL cluster's directory: <c>data</c>, which initdb makes, and <c>superuser-password</c>, for its owner only.
/// </summary>
/// <param name="programs">The directory of PostgreSQL's programs.</param>
/// <param name="directory">The directory; absolute.</param>
internal sealed class PostgresCluster(string programs, string directory)
{
    private static readonly string Script = Path.Combine(AppContext.BaseDirectory, "postgres.sh");

    /// <summary>What runs the server, with /bin/sh and the port as last argument.</summary>
    public string[] Run => [Script, "run", programs, directory];

    /// <summary>The server's own process id; null while it does not run.</summary>
    public int? ProcessId
    {
        get
        {
            try
            {
                return int.TryParse(File.ReadLines(Path.Combine(directory, "data", "postmaster.pid")).FirstOrDefault(), out var pid) ? pid : null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }

    /// <summary>The superuser's password; there is one when the cluster has been made.</summary>
    public string Password => File.ReadAllText(Path.Combine(directory, "superuser-password"));

    /// <summary>Makes the cluster where there is none yet, and writes its configuration; for a server that does not run.</summary>
    /// <param name="durable">False to skip initdb's own fsync, for a cluster that is thrown away.</param>
    /// <param name="cancellationToken">Kills initdb.</param>
    /// <exception cref="InvalidOperationException">It failed; the message has its output.</exception>
    public Task InitializeAsync(bool durable, CancellationToken cancellationToken) =>
        Programs.RunAsync("/bin/sh", [Script, "init", programs, directory, .. durable ? Array.Empty<string>() : ["--no-sync"]],
            $"PostgreSQL's cluster could not be made in {directory}", cancellationToken);
}
