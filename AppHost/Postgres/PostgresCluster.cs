using System.Security.Cryptography;
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
    public int? ProcessId => ReadOrNull(Path.Combine(directory, "data", "postmaster.pid")) is { } text && int.TryParse(text.Split('\n')[0], out var pid) ? pid : null;

    /// <summary>The superuser's password, made where there is none yet.</summary>
    public string Password()
    {
        var file = Path.Combine(directory, "superuser-password");
        if (ReadOrNull(file) is { Length: > 0 } kept) return kept;
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Delete(file);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
        using (var writer = new StreamWriter(file, options)) writer.Write(RandomNumberGenerator.GetHexString(48, lowercase: true));
        return File.ReadAllText(file);
    }

    /// <summary>Makes the cluster where there is none yet, and writes its configuration; for a server that does not run.</summary>
    /// <param name="durable">False to skip initdb's own fsync, for a cluster that is thrown away.</param>
    /// <param name="cancellationToken">Kills initdb.</param>
    /// <exception cref="InvalidOperationException">It failed; the message has its output.</exception>
    public Task InitializeAsync(bool durable, CancellationToken cancellationToken)
    {
        Password();
        return Programs.RunAsync("/bin/sh", [Script, "init", programs, directory, .. durable ? Array.Empty<string>() : ["--no-sync"]],
            $"PostgreSQL's cluster could not be made in {directory}", cancellationToken);
    }

    private static string? ReadOrNull(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
